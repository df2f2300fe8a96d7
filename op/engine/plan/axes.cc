// The axes of the atoms: Q [3, M] = sums[1:] / places, those of several sums side by side.
#include <algorithm>

#include "engine/plan/stages.h"

namespace deeptf {
namespace {

class AxesStage final : public Stage {
 public:
  explicit AxesStage(const StageReader& reader) {
    const std::vector<Json>& names = reader.fields.at("takes").items();
    const std::vector<Json>& places = reader.fields.at("places").items();
    if (names.empty() || names.size() != places.size()) {
      throw Error("axes must take sums, and `places` be one for each of them");
    }
    for (size_t k = 0; k < names.size(); ++k) {
      const int value = reader.value_named(names[k].text());
      const ValueType& type = reader.type_of(value);
      const double number = places[k].number();
      if (type.of_pairs || type.width % 4 != 0 || !(number >= 1)) {
        throw Error("axes must take sums of four columns, and `places` be at least 1");
      }
      parts_.push_back({value, type.width / 4, 1 / number});
      width_ += type.width / 4;
    }
    gives_ = reader.gives({3 * width_, false, Precision::float64});
  }

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    double* axes = values.give<double>(gives_);
    int64_t column = 0;
    for (const Part& part : parts_) {
      const double* sums = values.take<double>(part.takes);
      over_rows(block, part, [&](int64_t sum, int64_t axis) {
        for (int64_t m = 0; m < part.width; ++m)
          axes[axis + column + m] = part.scale * sums[sum + m];
      });
      column += part.width;
    }
    if (!gradient) return {};
    return [this, &block, &values] {
      const double* upper = values.gradient<double>(gives_);
      int64_t column = 0;
      for (const Part& part : parts_) {
        values.add_gradient<double>(part.takes, [&](double* to) {
          std::fill_n(to, block.num_atoms * 4 * part.width, 0.0);
          over_rows(block, part, [&](int64_t sum, int64_t axis) {
            for (int64_t m = 0; m < part.width; ++m) {
              to[sum + m] = part.scale * upper[axis + column + m];
            }
          });
        });
        column += part.width;
      }
    };
  }

 private:
  // Sums, how many axes they have, and 1 / places.
  struct Part {
    int takes;
    int64_t width;
    double scale;
  };

  // Calls body(begin of a row of sums, begin of that of axes) for x, y and z of each atom.
  template <class Body>
  void over_rows(const AtomBlock& block, const Part& part, const Body& body) const {
    for (int64_t atom = 0; atom < block.num_atoms; ++atom) {
      for (int64_t a = 0; a < 3; ++a) {
        body((atom * 4 + a + 1) * part.width, (atom * 3 + a) * width_);
      }
    }
  }

  std::vector<Part> parts_;
  int64_t width_ = 0;
  int gives_;
};

}  // namespace

std::unique_ptr<Stage> make_axes(const StageReader& reader) {
  return std::make_unique<AxesStage>(reader);
}

}  // namespace deeptf
