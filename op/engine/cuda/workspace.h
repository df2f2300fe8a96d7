// What one evaluation at a time needs on a device: stream, memory and a graph, all used again by
// the next one.
//
// A step waits once, for its results. It takes room for a few more pairs and triples than the step
// before had, so the host need not know their number while it queues; where that was too little,
// the step is done again. A kernel goes through places for pairs that may be none: nobody reads
// what it makes of them. So the steps of a system of some 10,000 atoms queue the same work again
// and again, which is recorded as a graph. Where the numbers of atoms and ghosts change, as after
// each search of an MD engine with several ranks, the graph is brought up to date, which costs
// about as much as queueing once. Larger systems gain nothing by a graph and do without.
#pragma once

#include "core/geometry/force_virial.h"
#include "engine/cuda/charges.h"
#include "engine/cuda/door.h"
#include "engine/cuda/plan.h"

namespace deeptf::device {

class Workspace {
 public:
  // Writes the results that are wanted. Throws Error, or a Refusal, then nothing is known of them.
  void evaluate(const Plan& plan, const Description& about, Door* door,
                const deeptf_options& options, const deeptf_results& results);

  int64_t lists_revision() const { return kept_.revision; }

 private:
  struct Step;

  // Room for what there is, whose number is known when the step is done.
  struct Room {
    int64_t pairs, triples;
  };

  // Where inputs lie that all doors have.
  struct Numbers {
    int type, frame_row, fparam, aparam, weight, site_atom, site_first, spin, spin_row;
  };

  Cuda cuda();
  void send(const Step& step);
  SearchArrays arrays(SearchOutcome* outcome);
  int64_t count_pairs(const Step& step);
  StepOutcome try_step(const Step& step, const Room& room);
  void queue(const Step& step, const Room& room);
  void queue_plan(const Step& step, const Block& block, const PairsOfAtoms& pairs,
                  const int32_t* neighbor);
  void queue_values(const Step& step, const Block& block, const double* value, const double* weight,
                    const ChargeSum* charges);
  std::unique_ptr<ChargeSum> charges_of(const Step& step, const Block& block);
  PartsAdder adder_of(const Step& step, const Block& block);
  void add_charge_forces(const ChargeSum& charges);
  void give_back_spins(const Step& step, const Block& block);
  void queue_lonely_charges(const Step& step, const Block& block);
  std::string key_of(const Step& step, const Room& room);
  Room likely_room(int64_t num_real) const;

  Stream stream_;
  Arena arena_;
  Uploads uploads_;
  Downloads downloads_;
  KeptLists kept_;
  Graph graph_;
  Memory parts_{Memory::Place::host};  // a structure factor that is shared out
  Numbers numbers_{};
  int64_t real_ = 0, pairs_ = 0, triples_ = 0;  // of the last step
  Room room_{0, 1};
};

}  // namespace deeptf::device
