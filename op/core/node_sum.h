// Sums of arrays over the processes of one machine, through memory that all of them map:
//
//   slot of process 0 | slot of process 1 | ...        each with room for every array
//
// Each process adds up a share of all arrays, of which nobody else has the sum before:
//
//   put the shares of the others into the own slot
//   meet: all have done so
//   add up the own share, in the order of processes; make the result of it; put that into the slot
//   meet: all results are there, and nobody needs what was put in before
//   take the results of the others
//
// The result is the sum, or what the caller makes of it, which then is done once and not in every
// process. Nobody puts results before the next meeting, by which all have taken these.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/meeting.h"
#include "core/parallel.h"

namespace deeptf {

template <class T>
class NodeSum {
 public:
  // Makes results, in place, of sums of `size` numbers of an array from number `begin` on.
  using Finish = std::function<void(int64_t array, int64_t begin, int64_t size, T* sums)>;

  // sizes : of the arrays, the same in all processes.
  // more : how many further slots there are, for the caller.
  NodeSum(const Node& node, const std::vector<int64_t>& sizes, int64_t more = 0);

  // arrays : the numbers of this process.
  // results : get the results, which are bit for bit the same in all processes.
  // finish : makes the results of this process's share; threads call it for different numbers.
  // Throws Ended when another process ends before it has summed its share.
  void sum(const std::vector<const T*>& arrays, const std::vector<T*>& results,
           const Finish& finish, const ParallelFor& parallel) const;

  // Room for an array in one of the further slots: zeros, until somebody writes them.
  T* room(int64_t further, int64_t array) const {
    return slot(node_.size() + further, {array, 0, 0});
  }

 private:
  struct Part {  // of an array
    int64_t array, begin, size;
  };

  std::vector<Part> cut(const std::vector<int64_t>& sizes, int64_t begin, int64_t end) const;
  T* slot(int64_t process, const Part& part) const;
  void add(const Part& part, const T* own, T* sums) const;
  template <class Body>
  void over_others(const ParallelFor& parallel, const Body& body) const;

  Node node_;
  std::vector<int64_t> starts_;            // of the arrays in a slot, and the end of the last
  std::vector<std::vector<Part>> shares_;  // of every process
  SharedMemory memory_;
  Meeting meeting_;
};

}  // namespace deeptf
