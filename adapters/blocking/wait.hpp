#pragma once
// System calls on sockets that wait for readiness, a deadline or a canceller, whichever comes first.

#include <span>
#include <string_view>

#include <poll.h>

#include <lockstep/blocking.hpp>
#include <lockstep/bytes.hpp>
#include <lockstep/io.hpp>

#include "common/lingering.hpp"
#include "common/sockets.hpp"

namespace lockstep::blocking {

/// An error when it was canceled or the deadline has passed.
IoResult<void> check(Operation operation, Deadline deadline, const Canceller& canceller);

/// Waits until one of `watched` has an event. The last of them is the canceller's, and set here; there is one at least.
/// A descriptor that is closed is an error, not an event.
IoResult<void> wait_for(std::span<pollfd> watched, Operation operation, Deadline deadline, const Canceller& canceller);

/// Waits until `descriptor` has one of `events` (POLLIN, POLLOUT), an error or a hang-up.
IoResult<void> wait_for(int descriptor, short events, Operation operation, Deadline deadline,
                        const Canceller& canceller);

/// At least one byte, or 0 at the end.
IoResult<std::size_t> receive_some(int descriptor, MutableBytes out, Operation operation, Deadline deadline,
                                   const Canceller& canceller);

/// At least one byte of a non-empty view.
IoResult<std::size_t> send_some(int descriptor, Bytes bytes, Operation operation, Deadline deadline,
                                const Canceller& canceller);

/// What the socket takes or has at this moment, without waiting; 0 when nothing, or in any trouble.
std::size_t send_now(int descriptor, Bytes bytes) noexcept;
std::size_t receive_now(int descriptor, MutableBytes out) noexcept;

/// Ends our direction and discards what still comes, until the peer ends its own or `lingering` has had enough.
void end_orderly(int descriptor, sockets::Lingering lingering, const Canceller& canceller) noexcept;

using sockets::canceled_error;
using sockets::plain_error;
using sockets::system_error;
using sockets::timeout_error;

}  // namespace lockstep::blocking
