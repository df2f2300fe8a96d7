// Sums of arrays over the processes of one host, through memory that all of them map:
//
//   slot of process 0 | slot of process 1 | ... | further slots
//
// each with room for every array.
//
// Each process adds up a share of all arrays, and nobody else adds that:
//
//   put the shares of the others into the own slot
//   meet: all have done so
//   add up the own share, in the order of processes, and do with the sums what is to be done once
//   meet: all have done so, and nobody needs what was put in before
//
// A slot's own share is free for results. Nobody puts any there before the next meeting.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/base/context.h"
#include "train/meeting.h"

namespace deeptf {

template <class T>
class HostSum {
 public:
  // Takes sums of `size` numbers of an array from number `begin` on.
  using Finish = std::function<void(int64_t array, int64_t begin, int64_t size, const T* sums)>;

  // sizes : of the arrays, the same in all processes.
  // further : how many further slots there are, for the caller.
  HostSum(const Host& host, const std::vector<int64_t>& sizes, int64_t further = 0);

  // arrays : the numbers of this process.
  // finish : gets the sums of this process's share; threads call it for different numbers. Those of
  //   all shares have been finished when this returns.
  // Throws Ended when another process ends before it has done its share.
  void share(const std::vector<const T*>& arrays, const Finish& finish,
             const Context& context) const;

  // Every process gets all sums, bit for bit the same.
  void sum(const std::vector<const T*>& arrays, const std::vector<T*>& sums,
           const Context& context) const;

  // How many times sums have been formed.
  int64_t times() const { return meeting_.times() / 2; }

  // Room for an array in one of the further slots: zeros, until somebody writes them.
  T* room(int64_t further, int64_t array) const {
    return slot(host_.size() + further, {array, 0, 0});
  }

 private:
  struct Part {  // of an array
    int64_t array, begin, size;
  };

  std::vector<Part> cut(const std::vector<int64_t>& sizes, int64_t begin, int64_t end) const;
  T* slot(int64_t process, const Part& part) const;
  void add(const Part& part, const T* own, T* sums) const;
  template <class Body>
  void over_others(const Context& context, const Body& body) const;

  Host host_;
  std::vector<int64_t> starts_;            // of the arrays in a slot, and the end of the last
  std::vector<std::vector<Part>> shares_;  // of every process
  std::shared_ptr<char> memory_;
  Meeting meeting_;
};

}  // namespace deeptf
