// A handler that does anything anywhere, and knows what may come.

#include <algorithm>
#include <stdexcept>
#include <thread>
#include <utility>

#include "callers/scene.hpp"

namespace lockstep::callers {
namespace {

std::uint8_t byte_at(const End& writer, std::uint64_t offset) noexcept {
  return static_cast<std::uint8_t>(offset * 131 + (offset >> 8U) * 7 + (offset >> 16U) + writer.number);
}

class Caller final : public loop::Handler {
 public:
  Caller(Scene& scene, End& end, std::uint64_t seed) : scene_(scene), end_(end), dice_(seed) {}

  void on_open(loop::Stream& stream) override {
    const Within within(*this, stream, "open");
    if (end_.opened) scene_.broken(end_, "on_open twice");
    end_.opened = true;
    if (end_.upgrades) start_tls(stream);
    anything(stream);
  }
  void on_handshake(loop::Stream& stream, const HandshakeComplete&) override {
    const Within within(*this, stream, "handshake");
    if (end_.shaken) scene_.broken(end_, "on_handshake twice");
    end_.shaken = true;
    scene_.count(&Played::handshakes);
    anything(stream);
  }
  void on_readable(loop::Stream& stream) override {
    const Within within(*this, stream, "readable");
    if (end_.until == loop::Until::next_bytes) end_.deadline.reset();
    if (stream.secure() && !end_.shaken) scene_.broken(end_, "decrypted bytes before on_handshake");
    if (stream.readable().empty()) scene_.broken(end_, "on_readable without bytes");
    if (dice_.once_in(4)) anything(stream);
    if (!dice_.once_in(6)) take(stream, dice_.once_in(3) ? dice_.below(3000) : SIZE_MAX);
    anything(stream);
    if (dice_.once_in(3)) take(stream, SIZE_MAX);
    if (!end_.over) stream.resume();
  }
  void on_writable(loop::Stream& stream) override {
    const Within within(*this, stream, "writable");
    anything(stream);
  }
  void on_end(loop::Stream& stream) override {
    const Within within(*this, stream, "end");
    if (end_.until == loop::Until::next_bytes) end_.deadline.reset();
    if (end_.heard_end && !end_.downgraded) scene_.broken(end_, "on_end twice");
    end_.heard_end = true;
    anything(stream);
    if (!dice_.once_in(5)) close(stream);
  }
  void on_plain(loop::Stream& stream) override {
    const Within within(*this, stream, "plain");
    end_.shaken = end_.secure = false;
    anything(stream);
  }
  void on_moved(loop::Stream& stream) override {
    if (!end_.moving) scene_.broken(end_, "on_moved, and nobody asked for it");
    end_.moving = end_.move_begun = false;
    end_.here_since = Clock::now();
    scene_.enter(end_, stream);
    scene_.count(&Played::moves);
    const Within within(*this, stream, "moved");
    anything(stream);
  }
  void on_deadline(loop::Stream& stream, Operation operation) override {
    const Within within(*this, stream, "deadline");
    if (operation == Operation::read) {
      if (!end_.deadline) scene_.broken(end_, "a deadline that nobody set, or that bytes had cleared");
      if (end_.deadline && Clock::now() < *end_.deadline) scene_.broken(end_, "a deadline came early");
      end_.deadline.reset();
    }
    anything(stream);
  }
  void on_drain(loop::Stream& stream) override {
    const Within within(*this, stream, "drain");
    anything(stream);
    if (!dice_.once_in(4)) close(stream);
  }
  bool on_event(loop::Stream& stream, Event& event) override {
    const Within within(*this, stream, "event");
    anything(stream);
    if (auto* select = std::get_if<SelectCredential>(&event); select != nullptr && dice_.once_in(6)) {
      if (dice_.once_in(4)) {
        // Nobody will answer, as another thread finds.
        scene_.note(end_, "drops a token");
        std::thread([token = std::move(select->token)] {}).join();
        return true;
      }
      end_.kept = std::move(select->token);
      answer_later(stream);
      return true;
    }
    end_.event_open = true;
    return false;
  }
  void on_closed(loop::Stream& stream, const IoError* error) override {
    if (++end_.closed != 1) scene_.broken(end_, "on_closed twice");
    scene_.note(end_, error == nullptr ? "closed" : "closed: " + error->text);
    end_.gave_up |= error != nullptr;
    end_.over = true;
    end_.moving = false;
    end_.deadline.reset();
    scene_.leave(end_, stream.loop());
    scene_.ended();
    scene_.count(&Played::calls);
    // What is asked of a stream that is over has no effect.
    if (dice_.once_in(3)) stream.close();
    if (dice_.once_in(3)) stream.cancel();
    if (dice_.once_in(9) && scene_.moves_allowed()) stream.move_to(scene_.other_than(stream.loop()));
    if (dice_.once_in(3)) write(stream);
  }

  /// One call, or none.
  void anything(loop::Stream& stream, unsigned deep = 0) {
    if (end_.closed != 0 || !dice_.once_in(scene_.wildness())) {
      if (!end_.over && dice_.once_in(3)) write(stream);
      return;
    }
    switch (dice_.below(21)) {
      case 0: return close(stream);
      case 1:
        scene_.note(end_, "cancel");
        given_up();
        return stream.cancel(dice_.once_in(2) ? Alert::close_notify : Alert::internal_error);
      case 2:
        scene_.note(end_, "expire");
        given_up();
        return stream.expire(Operation::read);
      case 3:
        scene_.note(end_, "close_write");
        say_all();
        return stream.close_write();
      case 4: return stream.pause_reading(dice_.once_in(2));
      case 5:
      case 6: return set_deadline(stream);
      case 7: return stream.set_write_deadline(Clock::now() + std::chrono::milliseconds(dice_.below(30)));
      case 8:
      case 9: return move(stream);
      case 10: (void)stream.update_keys(dice_.once_in(2)); return;
      case 11:
        if (!end_.secure || !dice_.once_in(2)) return;
        scene_.note(end_, "downgrade");
        end_.downgraded = true;
        if (!scene_.threads()) end_.peer->downgraded = true;
        return stream.downgrade();
      case 12: return stream.handshake();
      case 13:
      case 14: return post(stream);
      case 15:
      case 16:
        if (End* other = scene_.neighbour(stream.loop(), dice_); other != nullptr && deep < 3) {
          scene_.note(end_, "acts on " + std::to_string(other->number));
          static_cast<Caller&>(other->stream->handler()).anything(*other->stream, deep + 1);
        }
        return;
      case 17:
        if (deep != 0 || end_.depth == 0 || !dice_.once_in(4)) return;
        scene_.note(end_, "throws");
        given_up();
        throw std::runtime_error("on purpose");
      case 18:
        if (dice_.once_in(2) && stream.loop().run_once(std::chrono::milliseconds(0)))
          scene_.broken(end_, "a loop ran inside a handler");
        return;
      case 19: {
        const auto task = stream.loop().after(std::chrono::milliseconds(dice_.below(20)), [](loop::Loop&) {});
        if (dice_.once_in(2)) (void)stream.loop().cancel(task);
        return;
      }
      default: return stream.resume();
    }
  }

 private:
  friend class Within;
  /// A callback that runs.
  class Within {
   public:
    Within(Caller& caller, loop::Stream& stream, std::string_view name) : caller_(caller) {
      End& end = caller.end_;
      Scene& scene = caller.scene_;
      scene.count(&Played::calls);
      scene.note(end, name);
      if (end.closed != 0) scene.broken(end, "a call after on_closed: " + std::string(name));
      if (!Scene::runs(stream.loop())) scene.broken(end, "a call in another loop: " + std::string(name));
      const bool of_the_event = std::exchange(end.event_open, false) && (name == "handshake" || name == "event");
      if (end.moving && end.move_begun && end.depth == 0 && !of_the_event)
        scene.broken(end, "a call behind move_to: " + std::string(name));
      if (end.stream == nullptr) scene.enter(end, stream);
      ++end.depth;
    }
    Within(const Within&) = delete;
    Within& operator=(const Within&) = delete;
    ~Within() {
      End& end = caller_.end_;
      if (--end.depth == 0 && end.moving) end.move_begun = true;
    }

   private:
    Caller& caller_;
  };

  void take(loop::Stream& stream, std::size_t most) {
    while (most != 0 && !stream.readable().empty()) {
      const Bytes view = stream.readable();
      const std::size_t size = std::min(view.size(), most);
      for (std::size_t i = 0; i < size; ++i) {
        if (view[i] == byte_at(*end_.peer, end_.received + i)) continue;
        scene_.broken(end_, "byte " + std::to_string(end_.received + i) + " is not what was written");
        break;
      }
      end_.received += size;
      scene_.count(&Played::bytes, size);
      stream.consume(size);
      most -= size;
    }
  }

  void write(loop::Stream& stream) {
    static thread_local std::vector<std::uint8_t> text;
    text.resize(1 + dice_.below(dice_.once_in(8) ? 60'000 : 2000));
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = byte_at(end_, end_.written + i);
    const auto taken = stream.write(text);
    const std::size_t size = taken ? *taken : taken.error().transferred;
    if (size != 0 && end_.said_all && !end_.downgraded) scene_.broken(end_, "bytes were taken behind the end");
    if (size != 0 && end_.closed != 0) scene_.broken(end_, "bytes were taken behind on_closed");
    end_.written += size;
  }

  void given_up() {
    end_.over = end_.gave_up = true;
    end_.moving = end_.move_begun = false;
    end_.deadline.reset();
  }

  void say_all() {
    if (std::exchange(end_.said_all, true)) return;
    end_.said = end_.written;
  }

  void close(loop::Stream& stream) {
    scene_.note(end_, "close");
    say_all();
    end_.over = true;
    end_.moving = end_.move_begun = false;
    end_.deadline.reset();
    stream.close();
  }

  void move(loop::Stream& stream) {
    if (end_.over || !scene_.moves_allowed()) return;
    scene_.note(end_, "move_to");
    end_.moving = true;
    end_.move_begun = end_.depth == 0;
    scene_.leave(end_, stream.loop());
    stream.move_to(scene_.other_than(stream.loop()));
  }

  void set_deadline(loop::Stream& stream) {
    if (end_.over) return;
    if (dice_.once_in(4)) {
      end_.deadline.reset();
      return stream.set_read_deadline({});
    }
    end_.deadline = Clock::now() + std::chrono::milliseconds(dice_.below(40));
    end_.until = dice_.once_in(2) ? loop::Until::next_bytes : loop::Until::cleared;
    stream.set_read_deadline(end_.deadline, end_.until);
  }

  void start_tls(loop::Stream& stream) {
    if (stream.secure()) return;
    loop::Target target;
    if (end_.client) target.name = x509::PeerName::dns("example.com").value();
    if (!stream.start_tls(scene_.options(end_, dice_), std::move(target))) {
      given_up();  // what the peer says now is no text
      return stream.cancel();
    }
    scene_.note(end_, "start_tls");
    end_.secure = true;
    end_.shaken = false;
  }

  void post(loop::Stream& stream) {
    if (!end_.ref) end_.ref = stream.ref();
    end_.ref->post([this](loop::Stream& later) {
      if (end_.closed != 0) scene_.broken(end_, "a post behind on_closed");
      if (!Scene::runs(later.loop())) scene_.broken(end_, "a post in another loop");
      anything(later);
    });
  }

  void answer_later(loop::Stream& stream) {
    if (!end_.ref) end_.ref = stream.ref();
    end_.ref->post([this](loop::Stream& later) {
      if (!end_.kept) return;
      auto token = std::move(*end_.kept);
      end_.kept.reset();
      (void)later.answer(std::move(token), scene_.stage().credential);
    });
  }

  Scene& scene_;
  End& end_;
  Dice dice_;
};

}  // namespace

std::unique_ptr<loop::Handler> make_caller(Scene& scene, End& end, std::uint64_t seed) {
  end.made = true;
  scene.began();
  return std::make_unique<Caller>(scene, end, seed);
}

}  // namespace lockstep::callers
