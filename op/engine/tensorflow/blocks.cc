#include "engine/tensorflow/blocks.h"

#include <algorithm>
#include <string>

#include "core/base/error.h"

namespace deeptf {
namespace {

constexpr int64_t kMemory = int64_t{1} << 28;  // bytes that a block may take, see Needs in term.py
constexpr int64_t kFirstAtoms = 256;           // before the size of a block is known

}  // namespace

BlockCutter::BlockCutter(const Centres& centres, int64_t num_counting, const Description& about,
                         int64_t most_atoms)
    : centres_(centres),
      num_counting_(num_counting),
      about_(about),
      most_(most_atoms > 0 ? most_atoms : INT32_MAX),
      length_(std::min(most_, kFirstAtoms)),
      first_centre_(centres.num_frames + 1, 0),
      centre_of_(centres.num_atoms, -1),
      place_(centres.num_atoms, -1) {
  for (int64_t k = 0; k < centres.count(); ++k) {
    const int32_t atom = centres.atoms()[k];
    ++first_centre_[centres.frame_of(atom) + 1];
    centre_of_[atom] = static_cast<int32_t>(k);
  }
  for (int64_t f = 0; f < centres.num_frames; ++f) first_centre_[f + 1] += first_centre_[f];
}

bool BlockCutter::next(Block* block) {
  while (begin_ < num_counting_) {
    const int64_t end = end_of_block();
    fill(begin_, end, block);
    const int64_t bytes = bytes_of(*block);
    if (bytes > kMemory && end - begin_ > 1) {
      length_ = (end - begin_) / 2;
      continue;
    }
    if (2 * bytes <= kMemory) length_ = std::min(2 * length_, most_);
    begin_ = end;
    return true;
  }
  return false;
}

// Whole frames, or a part of one.
int64_t BlockCutter::end_of_block() const {
  const int64_t end = std::min(begin_ + length_, num_counting_);
  const auto next = std::upper_bound(first_centre_.begin(), first_centre_.end(), begin_);
  const bool inside = *(next - 1) != begin_;
  if (inside || *next > end) return std::min(end, *next);
  return *(std::upper_bound(next, first_centre_.end(), end) - 1);
}

void BlockCutter::fill(int64_t begin, int64_t end, Block* block) {
  *block = Block{};
  block->row.assign(1, 0);
  for (int64_t k = begin; k < end; ++k) add_atom(centres_.atoms()[k], block);
  block->num_own = end - begin;
  add_pairs(begin, end, block);
  if (about_.hops > 1) add_further(block);
  block->num_centres = static_cast<int64_t>(block->atom.size());
  add_neighbors(block);
  for (const int32_t atom : block->atom) place_[atom] = -1;

  block->first_frame = centres_.frame_of(block->atom.front());
  block->num_frames = centres_.frame_of(block->atom[block->num_own - 1]) + 1 - block->first_frame;
  for (int64_t f = 0; f < block->num_frames; ++f) {
    const int64_t first = std::max(first_centre_[block->first_frame + f], begin);
    block->frame_row.push_back(static_cast<int32_t>(first - begin));
  }
  block->frame_row.push_back(static_cast<int32_t>(block->num_centres));
}

void BlockCutter::add_atom(int32_t atom, Block* block) {
  place_[atom] = static_cast<int32_t>(block->atom.size());
  block->atom.push_back(atom);
}

// The pairs of centres from begin to end - 1; `neighbor` holds atoms as yet.
void BlockCutter::add_pairs(int64_t begin, int64_t end, Block* block) {
  centres_.find(begin, end, &found_);
  const int32_t first = block->row.back();
  for (int64_t k = 1; k <= end - begin; ++k) block->row.push_back(first + found_.row[k]);
  const int64_t pairs = found_.row.back();  // there may be more memory
  block->neighbor.insert(block->neighbor.end(), found_.neighbor.data(),
                         found_.neighbor.data() + pairs);
  block->displacement.insert(block->displacement.end(), found_.displacement.data(),
                             found_.displacement.data() + 3 * pairs);
}

void BlockCutter::add_further(Block* block) {
  const double limit = about_.rcut * about_.rcut;
  size_t pair = 0;
  for (int32_t hop = 1; hop < about_.hops; ++hop) {
    const size_t old = block->atom.size();
    for (; pair < block->neighbor.size(); ++pair) {
      const int32_t atom = block->neighbor[pair];
      const double* d = block->displacement.data() + 3 * pair;
      if (place_[atom] >= 0 || d[0] * d[0] + d[1] * d[1] + d[2] * d[2] >= limit) continue;
      if (centre_of_[atom] < 0) {
        throw Error("the pairs of all atoms up to " + std::to_string(about_.hops - 1) +
                    " steps along pairs from those that count must be given, got none of atom " +
                    std::to_string(atom) + ", " + std::to_string(hop) +
                    " away: give the ghosts that are so near as further centres, with `num_owned`");
      }
      add_atom(atom, block);
    }
    const size_t now = block->atom.size();
    if (now == old) break;
    for (size_t k = old; k < now; ++k) {
      const int64_t centre = centre_of_[block->atom[k]];
      add_pairs(centre, centre + 1, block);
    }
  }
}

// Numbers the neighbours by their places in the block.
void BlockCutter::add_neighbors(Block* block) {
  for (int32_t& neighbor : block->neighbor) {
    if (place_[neighbor] < 0) add_atom(neighbor, block);
    neighbor = place_[neighbor];
  }
}

int64_t BlockCutter::bytes_of(const Block& block) const {
  return static_cast<int64_t>(block.neighbor.size()) * about_.pair_bytes +
         block.num_centres * about_.atom_bytes;
}

}  // namespace deeptf
