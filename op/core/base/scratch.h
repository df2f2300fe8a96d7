// An array for results on their way, from the memory of the thread that makes it (see context.h):
// not set to anything unless a value is given, aligned for lanes, given back at the end of its
// scope.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "core/base/arena.h"

namespace deeptf {

template <class T>
class Scratch {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>,
                "nothing makes or destroys the elements");

 public:
  explicit Scratch(int64_t count)
      : arena_(&Arena::of_this_thread()),
        before_(arena_->mark()),
        data_(static_cast<T*>(arena_->take(static_cast<size_t>(count) * sizeof(T)))),
        count_(count) {}
  Scratch(int64_t count, const T& value) : Scratch(count) { std::fill_n(data_, count_, value); }

  // For a function that returns one; what it took after that is given back by then.
  Scratch(Scratch&& other) noexcept
      : arena_(other.arena_), before_(other.before_), data_(other.data_), count_(other.count_) {
    other.arena_ = nullptr;
  }
  Scratch& operator=(Scratch&&) = delete;
  ~Scratch() {
    if (arena_ != nullptr) arena_->give_back(before_);
  }

  // Forgets all but the first elements.
  void shorten(int64_t count) { count_ = count; }

  T* data() { return data_; }
  const T* data() const { return data_; }
  int64_t size() const { return count_; }
  T& operator[](int64_t index) { return data_[index]; }
  const T& operator[](int64_t index) const { return data_[index]; }
  T* begin() { return data_; }
  T* end() { return data_ + count_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + count_; }

 private:
  Arena* arena_;
  Arena::Mark before_;
  T* data_;
  int64_t count_;
};

}  // namespace deeptf
