// Memory of one thread for results on their way: a stack of blocks that grows and never shrinks, so
// that a kernel called again meets pages that it has touched before. What was taken last is given
// back first. Nothing in it is shared: a fork has the arena of the thread that forked, and one that
// ends gives its blocks back to the system.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace deeptf {

class Arena {
 public:
  static constexpr size_t kAlignment = 64;  // bytes

  // How full the arena was at a moment.
  struct Mark {
    size_t block = 0, used = 0;  // bytes in that block; those behind it are empty
    size_t taken = 0;            // pieces
  };

  static Arena& of_this_thread();

  const Mark& mark() const { return top_; }
  // An aligned piece of so many bytes, with any content; it stays where it is until it is given
  // back. Throws std::bad_alloc, which leaves all pieces as they are.
  void* take(size_t bytes);
  // Gives back the piece that was taken last; `before` is the mark of that moment. Ends the process
  // where it is another piece: that would take away memory in use.
  void give_back(const Mark& before);

  size_t bytes() const;  // of all blocks

 private:
  struct Free {
    void operator()(char* data) const;
  };
  struct Block {
    std::unique_ptr<char, Free> data;
    size_t size;
  };

  static Block new_block(size_t size);
  void find_room(size_t size);

  std::vector<Block> blocks_;
  Mark top_;
};

}  // namespace deeptf
