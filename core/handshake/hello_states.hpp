#pragma once
// Where every handshake begins, whichever version it will have: the version is settled here and nowhere else, and the
// successors say what each leads to.

#include <string_view>

#include "handshake/client12.hpp"
#include "handshake/client13.hpp"
#include "handshake/hello.hpp"
#include "handshake/machine.hpp"
#include "handshake/server12.hpp"
#include "handshake/server13.hpp"

namespace lockstep::handshake::hello {

/// The application selects external PSKs, before anything is offered.
struct WaitPsks {
  static constexpr std::string_view name = "(select PSKs)";
  std::span<const Session> sessions;  ///< live as long as the handshake
};
/// Our key pairs are being made.
struct WaitShares {
  static constexpr std::string_view name = "(make shares)";
  Offer offer;
};
/// Early data waits until the peer of its session was judged once more.
struct WaitOfferVerified {
  static constexpr std::string_view name = "(verify peer of offered session)";
  Offer offer;
};
struct WaitServerHello {
  static constexpr std::string_view name = "WAIT_SH";
  Offer offer;
};
struct WaitClientHello {
  static constexpr std::string_view name = "START";
};
/// Nothing is settled: the application looks at the ClientHello first.
struct WaitConfig {
  static constexpr std::string_view name = "(select configuration)";
  codec::ClientHello hello;
};

Next<WaitShares, WaitOfferVerified, WaitServerHello> on(WaitPsks&&, const PskGiven&, Context&);
Next<WaitShares, WaitOfferVerified, WaitServerHello> on(WaitPsks&&, const PskWithheld&, Context&);
Next<WaitOfferVerified, WaitServerHello> on(WaitShares&&, const SharesMade&, Context&);
Next<WaitServerHello> on(WaitOfferVerified&&, const PeerVerified&, Context&);
Next<> on(WaitOfferVerified&&, const PeerRefused&, Context&);
Next<client13::WaitSecret, client13::WaitEncryptedExtensions, client12::WaitCertificate, client12::WaitPskKeyExchange,
     client12::WaitPskHint, client12::WaitSessionVerified, client12::WaitNewSessionTicket,
     client12::WaitChangeCipherSpec>
on(WaitServerHello&&, const codec::ServerHello&, Context&);
Next<client13::WaitSecondShare, client13::WaitSecondServerHello> on(WaitServerHello&&, const codec::HelloRetryRequest&,
                                                                    Context&);
Next<WaitConfig, server13::WaitPsk, server13::WaitSecondClientHello, server13::WaitTicketOpened,
     server13::WaitCredential, server12::WaitTicketOpened, server12::WaitCredential, server12::WaitPskKeyExchange>
on(WaitClientHello&&, const codec::ClientHello&, Context&);
Next<server13::WaitPsk, server13::WaitSecondClientHello, server13::WaitTicketOpened, server13::WaitCredential,
     server12::WaitTicketOpened, server12::WaitCredential, server12::WaitPskKeyExchange>
on(WaitConfig&&, const ConfigChosen&, Context&);
Next<> on(WaitConfig&&, const HelloRefused&, Context&);

/// Sends the ClientHello, once there are shares for it.
[[nodiscard]] Next<WaitPsks, WaitShares, WaitOfferVerified, WaitServerHello> start(Context& context,
                                                                                   std::span<const Session> sessions);

}  // namespace lockstep::handshake::hello
