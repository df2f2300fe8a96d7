// Blocks of centres on several threads. A thread finds the pairs of a block, evaluates it and adds
// what came out to the results when all blocks before have been added: so every sum has one order,
// that of the centres. Adding takes a hundredth of the time of a block, so nobody waits for long.
#include "engine/run/evaluate.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <limits>
#include <mutex>

#include "core/base/team.h"
#include "engine/run/sorted_block.h"

namespace deeptf {
namespace {

// Lets blocks pass in their order.
class Queue {
 public:
  // Waits until the blocks before have passed; false where one of them has failed.
  bool enter(int64_t block) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return next_ == block; });
    return !error_;
  }
  void leave(std::exception_ptr error) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ++next_;
      if (error && !error_) error_ = error;
    }
    changed_.notify_all();
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int64_t next_ = 0;
  std::exception_ptr error_;
};

class Evaluation {
 public:
  Evaluation(const Plan& plan, const Inputs& inputs, const Centres& centres,
             const deeptf_results& results)
      : plan_(plan), inputs_(inputs), centres_(centres), out_(results) {
    const int64_t types = inputs.num_types;
    clear(out_.energy, centres.num_frames);
    clear(out_.force, 3 * centres.num_atoms);
    clear(out_.virial, 9 * centres.num_frames);
    clear(out_.atom_virial, 9 * centres.num_atoms);
    if (out_.outside_count != nullptr) std::fill_n(out_.outside_count, types * types, 0);
    if (out_.outside_distance != nullptr) {
      std::fill_n(out_.outside_distance, types * types, std::numeric_limits<double>::infinity());
    }
  }

  void run(const Shares& shares) {
    const int64_t count = centres_.count();
    if (count == 0) return;
    const int64_t blocks = number_of_blocks(count, shares);
    std::atomic<int64_t> next{0};
    const Context team = team_of(shares.threads);
    constexpr int64_t kCycles = int64_t{1} << 40;  // worth a thread each
    team.parallel(shares.threads, kCycles, [&](int64_t, int64_t) {
      Worker worker(inputs_);
      for (int64_t k = next++; k < blocks; k = next++) {
        pass(k, count * k / blocks, count * (k + 1) / blocks, &worker);
      }
    });
    queue_.rethrow();
  }

 private:
  struct Worker {
    explicit Worker(const Inputs& inputs)
        : outside_count(inputs.num_types * inputs.num_types),
          outside_distance(inputs.num_types * inputs.num_types) {}

    Context context;  // one thread
    FoundPairs found;
    SortedBlock sorted;
    std::vector<double> energy, gradient;
    std::vector<int64_t> outside_count;
    std::vector<double> outside_distance;
  };

  static void clear(double* array, int64_t count) {
    if (array != nullptr) std::fill_n(array, count, 0.0);
  }

  // As many as the size of a block asks for, and as many for each thread.
  static int64_t number_of_blocks(int64_t count, const Shares& shares) {
    const int64_t most = std::max<int64_t>(shares.most_atoms, 1);
    const int64_t blocks = (count + most - 1) / most;
    const int64_t rounds = (blocks + shares.threads - 1) / shares.threads;
    return std::min(rounds * shares.threads, count);
  }

  void pass(int64_t block, int64_t begin, int64_t end, Worker* worker) {
    std::exception_ptr error;
    try {
      compute(begin, end, worker);
    } catch (...) {
      error = std::current_exception();
    }
    if (queue_.enter(block) && !error) add(*worker);
    queue_.leave(error);
  }

  bool wants_gradient() const {
    return out_.force != nullptr || out_.virial != nullptr || out_.atom_virial != nullptr;
  }

  void compute(int64_t begin, int64_t end, Worker* worker) const {
    Worker& w = *worker;
    centres_.find(begin, end, &w.found);
    w.sorted.sort(w.found, centres_, inputs_.num_types, inputs_.num_fparam, inputs_.num_aparam);
    std::fill(w.outside_count.begin(), w.outside_count.end(), 0);
    std::fill(w.outside_distance.begin(), w.outside_distance.end(),
              std::numeric_limits<double>::infinity());
    w.energy.resize(w.found.num_centres());
    if (wants_gradient()) w.gradient.resize(3 * w.sorted.num_pairs());
    const AtomBlock block =
        w.sorted.block(w.context, w.outside_count.data(), w.outside_distance.data());
    try {
      plan_.evaluate(block, w.energy.data(), wants_gradient() ? w.gradient.data() : nullptr);
    } catch (const WrongPair& wrong) {
      const int64_t atom = block.atom[block.centre[wrong.pair]];
      throw Error(centres_.names_of(atom, w.sorted.neighbor()[wrong.pair]) + wrong.reason);
    }
  }

  void add(const Worker& w) {
    for (int64_t k = 0; k < w.found.num_centres(); ++k) {
      const int64_t atom = w.found.atom[k];
      const double energy = w.energy[w.sorted.place_of(k)];
      if (out_.energy != nullptr) out_.energy[centres_.frame_of(atom)] += energy;
      if (out_.atom_energy != nullptr) out_.atom_energy[atom] = energy;
      if (wants_gradient()) add_pairs(w, k, atom);
    }
    for (size_t k = 0; k < w.outside_count.size(); ++k) {
      if (out_.outside_count != nullptr) out_.outside_count[k] += w.outside_count[k];
      if (out_.outside_distance != nullptr) {
        out_.outside_distance[k] = std::min(out_.outside_distance[k], w.outside_distance[k]);
      }
    }
  }

  // What the pairs of one centre do (core/geometry/force_virial.h).
  void add_pairs(const Worker& w, int64_t centre, int64_t atom) {
    double own[3] = {0, 0, 0}, virial[9] = {};
    w.sorted.over_runs(centre, [&](int64_t begin, int64_t end) {
      for (int64_t pair = begin; pair < end; ++pair) {
        const double *g = w.gradient.data() + 3 * pair, *d = w.sorted.displacement() + 3 * pair;
        const int64_t other = w.sorted.neighbor()[pair];
        for (int a = 0; a < 3; ++a) {
          own[a] += g[a];
          for (int b = 0; b < 3; ++b) virial[3 * a + b] -= g[a] * d[b];
        }
        if (out_.force != nullptr) {
          for (int a = 0; a < 3; ++a) out_.force[3 * other + a] -= g[a];
        }
        if (out_.atom_virial == nullptr) continue;
        double* to = out_.atom_virial + 9 * other;
        for (int a = 0; a < 3; ++a) {
          for (int b = 0; b < 3; ++b) to[3 * a + b] -= g[a] * d[b];
        }
      }
    });
    if (out_.force != nullptr) {
      for (int a = 0; a < 3; ++a) out_.force[3 * atom + a] += own[a];
    }
    if (out_.virial != nullptr) {
      double* to = out_.virial + 9 * centres_.frame_of(atom);
      for (int k = 0; k < 9; ++k) to[k] += virial[k];
    }
  }

  const Plan& plan_;
  const Inputs& inputs_;
  const Centres& centres_;
  const deeptf_results& out_;
  Queue queue_;
};

}  // namespace

void evaluate(const Plan& plan, const Inputs& inputs, const Centres& centres, const Shares& shares,
              const deeptf_results& results) {
  Evaluation(plan, inputs, centres, results).run(shares);
}

}  // namespace deeptf
