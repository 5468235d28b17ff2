#pragma once
// Events that wait to be told, one per call.

#include <memory>
#include <new>
#include <utility>

#include <lockstep/event.hpp>

#include "handshake/arena.hpp"

namespace lockstep::handshake {

/// First in, first out; the nodes live in the arena.
class EventQueue {
 public:
  EventQueue() noexcept = default;
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;
  ~EventQueue() { clear(); }

  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }

  /// False when the arena is full.
  [[nodiscard]] bool push(Event event, Arena& arena) noexcept {
    const MutableBytes memory = arena.allocate(sizeof(Node), alignof(Node));
    if (memory.data() == nullptr) return false;
    Node* node = new (memory.data()) Node{std::move(event), nullptr};
    (last_ == nullptr ? first_ : last_->next) = node;
    last_ = node;
    return true;
  }

  /// Only while not empty.
  [[nodiscard]] Event pop() noexcept {
    Node* node = std::exchange(first_, first_->next);
    if (first_ == nullptr) last_ = nullptr;
    Event event = std::move(node->event);
    std::destroy_at(node);
    return event;
  }

  void clear() noexcept {
    while (!empty()) static_cast<void>(pop());
  }

 private:
  struct Node {
    Event event;
    Node* next;
  };
  Node* first_ = nullptr;
  Node* last_ = nullptr;
};

}  // namespace lockstep::handshake
