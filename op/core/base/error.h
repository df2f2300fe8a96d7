// The exceptions of the core, with messages for the user.
#pragma once

#include <atomic>
#include <cstdint>
#include <stdexcept>

namespace deeptf {

// An input that cannot be used.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Another process, on which this one waits, has ended.
class Ended : public Error {
 public:
  using Error::Error;
};

// Smallest index at which some thread met a wrong value; the same for any number of threads.
class FirstWrong {
 public:
  void report(int64_t index) {
    int64_t seen = index_.load();
    while (index < seen && !index_.compare_exchange_weak(seen, index)) {
    }
  }
  bool any() const { return index_.load() != INT64_MAX; }
  int64_t index() const { return index_.load(); }

 private:
  std::atomic<int64_t> index_{INT64_MAX};
};

}  // namespace deeptf
