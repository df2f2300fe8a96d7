// See workspace.h.
#include <algorithm>
#include <typeinfo>

#include "core/cuda/memory.h"
#include "engine/cuda/step.h"

namespace deeptf::device {
namespace {

constexpr int64_t kGraphAtoms = 20000;     // the most of a step that is recorded
constexpr int64_t kMostPairs = INT32_MAX;  // and triples

// Room for pairs comes in pieces; in a test so small that there is soon too little.
#ifdef __CUDACC__
constexpr int64_t kPiece = 1024;
#else
constexpr int64_t kPiece = 16;
#endif

// Room for at least so many pairs or triples, which stays the same where their number changes a
// little.
int64_t rounded(int64_t pairs) { return std::min((pairs / kPiece + 2) * kPiece, kMostPairs - 1); }

// And some more, so that the steps that follow need not be done again.
int64_t room_for_triples(int64_t triples) {
  if (triples >= kMostPairs) {
    throw Error("the neighbours of all atoms must make less than 2^31 triples on a GPU, got more");
  }
  return rounded(triples + triples / 16);
}

[[noreturn]] void report(const Door& door) {
  door.report();
  throw Error("atoms must be usable, got others on the GPU, not on the CPU");
}

// Numbers by which steps differ.
class Key {
 public:
  void add(int64_t number) { text_.append(reinterpret_cast<const char*>(&number), sizeof number); }
  void add(const void* address) { add(static_cast<int64_t>(reinterpret_cast<intptr_t>(address))); }
  void add(const EwaldGrid& grid) {
    text_.append(reinterpret_cast<const char*>(&grid), sizeof grid);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// Waits for what was queued even where queueing it has failed.
class Waiting {
 public:
  explicit Waiting(const Cuda& cuda) : cuda_(cuda) {}
  ~Waiting() {
    try {
      wait(cuda_);
    } catch (const Error&) {  // which the next call meets again
    }
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  const Cuda& cuda_;
};

}  // namespace

void Workspace::evaluate(const Plan& plan, const Description& about, Door* door,
                         const deeptf_options& options, const deeptf_results& results) {
  const Step step(plan, about, door, options, results);
  Room room = likely_room(step.num_real);
  if (door->num_pairs() > 0) room.pairs = door->num_pairs();
  const Cuda own = cuda();
  const Waiting waiting(own);
  downloads_.place(
      {door->num_frames, door->num_centres, door->num_all, about.inputs.num_types, step.width()},
      results);
  send(step);
  if (room.pairs == 0) room.pairs = count_pairs(step);
  StepOutcome found = try_step(step, room);
  if (found.search.num_pairs > room.pairs) {
    room.pairs = count_pairs(step);
    found = try_step(step, room);
  }
  if (found.search.wrong == 0 && found.num_triples > room.triples) {
    room.triples = room_for_triples(found.num_triples);
    found = try_step(step, room);
  }
  if (found.search.wrong != 0) report(*door);
  if (found.refused != 0) throw Refusal::unpacked(found.refused);
  real_ = step.num_real;
  pairs_ = found.search.num_pairs;
  triples_ = found.num_triples;
  room_ = room;
  downloads_.give();
}

Cuda Workspace::cuda() {
  return {stream_.get(), [this](size_t bytes) { return arena_.take(bytes); }};
}

void Workspace::send(const Step& step) {
  const deeptf::Inputs& inputs = step.inputs;
  Door* door = step.door;
  const double* weight = step.options.weight;
  uploads_.clear();
  const int64_t frames = door->num_frames;
  numbers_.type = uploads_.add(door->type, door->num_all);
  numbers_.frame_row = uploads_.add(door->frame_row.data(), frames + 1);
  numbers_.fparam = uploads_.add(door->fparam, inputs.num_fparam * frames);
  numbers_.aparam = uploads_.add(door->aparam, inputs.num_aparam * door->num_centres);
  const auto add = [this](const auto& array) {
    return uploads_.add(array.data(), static_cast<int64_t>(array.size()));
  };
  numbers_.site_atom = add(step.sites.atom);
  numbers_.site_first = add(step.sites.first);
  numbers_.spin = add(step.spins.spin);
  numbers_.spin_row = add(step.spins.frame_row);
  numbers_.weight = uploads_.add(weight, weight != nullptr ? step.width() * door->num_centres : 0);
  door->add(&uploads_, &kept_);
  uploads_.send(cuda());
}

// The room of a step: that of the last one, or in relation to it. 0: not known.
Workspace::Room Workspace::likely_room(int64_t num_real) const {
  if (num_real == real_ || real_ == 0 || num_real == 0) return room_;
  const double more = 1.1 * static_cast<double>(num_real) / static_cast<double>(real_);
  const auto scaled = [&](int64_t number) {
    return rounded(static_cast<int64_t>(more * static_cast<double>(number)));
  };
  return {scaled(pairs_), room_.triples == 1 ? 1 : scaled(triples_)};
}

SearchArrays Workspace::arrays(SearchOutcome* outcome) {
  return {&uploads_, uploads_.at<int32_t>(numbers_.type), uploads_.at<int32_t>(numbers_.frame_row),
          outcome};
}

// Waits for the number of pairs; gives room for a little more, so that the steps that follow need
// not wait.
int64_t Workspace::count_pairs(const Step& step) {
  if (step.num_real == 0) return 1;
  arena_.take_back();
  const Cuda own = cuda();
  auto* outcome = own.scratch<SearchOutcome>(1);
  fill_zero(own, sizeof *outcome, outcome);
  step.door->search(own, arrays(outcome), 0, nullptr);
  wait(own);
  SearchOutcome found;
  copy_now(outcome, sizeof found, &found);
  if (found.wrong != 0) report(*step.door);
  if (found.num_pairs >= kMostPairs) {
    throw Error("the pairs of all atoms must be fewer than 2^31 on a GPU, got " +
                std::to_string(found.num_pairs) + ": use more ranks or GPUs");
  }
  return rounded(found.num_pairs + found.num_pairs / 16);
}

// Nothing is known of the results where something is wrong, or there is more than room for.
StepOutcome Workspace::try_step(const Step& step, const Room& room) {
  arena_.take_back();
  const Cuda own = cuda();
  const auto queue_all = [&] { queue(step, room); };
  if (step.num_real <= kGraphAtoms && step.options.add_parts == nullptr) {
    graph_.run(own, key_of(step, room), queue_all);
  } else {
    queue_all();
  }
  downloads_.fetch(own);
  wait(own);
  return downloads_.received();
}

std::string Workspace::key_of(const Step& step, const Room& room) {
  const Door& door = *step.door;
  Key key;
  for (const int64_t number :
       {static_cast<int64_t>(typeid(door).hash_code()), door.num_all, door.num_centres,
        door.num_owned, door.num_frames, room.pairs, room.triples, int64_t{step.with_gradient},
        int64_t{step.with_atom_virial}, int64_t{step.options.weight != nullptr},
        static_cast<int64_t>(step.spins.spin.size())}) {
    key.add(number);
  }
  for (const int32_t number : step.count) key.add(int64_t{number});
  for (const int64_t number : step.sites.frame_row) key.add(number);
  for (const EwaldGrid& grid : step.grids) key.add(grid);
  for (const void* address : {uploads_.begin(), static_cast<const void*>(downloads_.begin()),
                              arena_.begin(), static_cast<const void*>(kept_.row.at_least(0)),
                              static_cast<const void*>(kept_.neighbor.at_least(0))}) {
    key.add(address);
  }
  return key.text();
}

}  // namespace deeptf::device
