// Descriptors of neighbours in local axes; core/geometry/local_frames.h has the equations.
#include "core/geometry/local_frames.h"

#include <algorithm>
#include <string>
#include <vector>

#include "engine/plan/stages.h"

namespace deeptf {
namespace {

class LocalFramesStage final : public Stage {
 public:
  explicit LocalFramesStage(const StageReader& reader)
      : types_(reader.inputs.num_types), takes_(reader.takes()) {
    const ValueType& taken = reader.type_of(takes_);
    if (!taken.of_pairs || taken.width != 3) throw Error("local frames must take pairs");
    frames_.rcut = reader.number("rcut");
    frames_.sel_a = read_places(reader, "sel_a");
    frames_.sel_r = read_places(reader, "sel_r");
    const std::vector<Json>& rules = of_types(reader, "rules");
    for (const Json& both : rules) read_rules(both.items());
    for (const Json& texts : of_types(reader, "lacks")) read_lacks(texts.items());
    width_ = frames_.width();
    gives_ = reader.gives({width_, false, Precision::float64});
    mean_ = reader.constant<double>("mean", {types_, width_});
    stddev_ = reader.constant<double>("stddev", {types_, width_});
    for (const double value : stddev_.numbers) {
      if (!(value > 0)) throw Error("`stddev` of local frames must be positive");
    }
  }

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    const LocalFramesInputs in{frames_,    block.num_atoms,      block.num_pairs,
                               block.type, block.neighbor_count, block.displacement};
    double* rows = values.give<double>(gives_);
    int32_t* chosen = values.keep<int32_t>(block.num_atoms * frames_.num_chosen());
    int32_t* lack = values.keep<int32_t>(block.num_atoms);
    local_frames(in, block.context, rows, chosen, lack);
    for (int64_t atom = 0; atom < block.num_atoms; ++atom) {
      const int64_t type = block.type[atom];
      if (lack[atom] != kNothing) {
        throw Error("atom " + std::to_string(block.atom[atom]) + ": " +
                    lacks_[kPlane * type + lack[atom] - 1]);
      }
      for (int64_t k = 0; k < width_; ++k) {
        double& value = rows[atom * width_ + k];
        value = (value - mean_[type * width_ + k]) / stddev_[type * width_ + k];
      }
    }
    if (!gradient) return {};
    return [this, in, chosen, &block, &values] {
      const double* upper = values.gradient<double>(gives_);
      double* rows_grad = values.keep<double>(block.num_atoms * width_);
      for (int64_t atom = 0; atom < block.num_atoms; ++atom) {
        const double* stddev = stddev_.data() + block.type[atom] * width_;
        for (int64_t k = 0; k < width_; ++k) {
          rows_grad[atom * width_ + k] = upper[atom * width_ + k] / stddev[k];
        }
      }
      values.add_gradient<double>(takes_, [&](double* out) {
        local_frames_grad(in, block.context, chosen, rows_grad, out);
      });
    };
  }

 private:
  const std::vector<Json>& of_types(const StageReader& reader, const char* field) const {
    const std::vector<Json>& items = reader.fields.at(field).items();
    if (static_cast<int64_t>(items.size()) != types_) {
      throw Error("`" + std::string(field) + "` of a stage must be of " + std::to_string(types_) +
                  " types, got " + std::to_string(items.size()));
    }
    return items;
  }

  std::vector<int32_t> read_places(const StageReader& reader, const char* field) const {
    std::vector<int32_t> places;
    for (const Json& item : of_types(reader, field)) {
      const int64_t number = item.integer();
      if (number < 0 || number > kMost) {
        throw Error("`" + std::string(field) + "` of a stage must be from 0 to " +
                    std::to_string(kMost) + ", got " + std::to_string(number));
      }
      places.push_back(static_cast<int32_t>(number));
    }
    return places;
  }

  // Of both axes of a type.
  void read_rules(const std::vector<Json>& both) {
    if (both.size() != 2) throw Error("`rules` of a type must be of 2 axes");
    const int64_t most = frames_.num_places();
    for (const Json& axis : both) {
      AxisRule rule{{}, axis.at("rank").integer()};
      if (rule.rank < 0 || rule.rank > kMost) {
        throw Error("`rank` of an axis must be from 0 to " + std::to_string(kMost) + ", got " +
                    std::to_string(rule.rank));
      }
      for (const Json& item : axis.at("places").items()) {
        const int64_t place = item.integer();
        const int64_t least = rule.places.empty() ? 0 : rule.places.back() + 1;
        if (place < least || place >= most) {
          throw Error("`places` of an axis must rise from 0 to below " + std::to_string(most) +
                      ", got " + std::to_string(place));
        }
        rule.places.push_back(static_cast<int32_t>(place));
      }
      frames_.rules.push_back(rule);
    }
  }

  void read_lacks(const std::vector<Json>& texts) {
    if (texts.size() != kPlane) throw Error("`lacks` of a type must be 3 messages");
    for (const Json& text : texts) lacks_.push_back(text.text());
  }

  static constexpr int64_t kMost = 1 << 20;  // places of a type

  int64_t types_, width_ = 0;
  LocalFrames frames_;
  int takes_, gives_;
  Aligned<double> mean_, stddev_;
  std::vector<std::string> lacks_;  // [T, 3] what an error says
};

}  // namespace

std::unique_ptr<Stage> make_local_frames(const StageReader& reader) {
  return std::make_unique<LocalFramesStage>(reader);
}

}  // namespace deeptf
