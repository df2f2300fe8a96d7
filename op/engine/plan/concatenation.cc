// Values of atoms side by side, in the highest precision of them.
#include <algorithm>
#include <utility>

#include "engine/plan/stages.h"

namespace deeptf {
namespace {

template <class T>
class ConcatenationStage final : public Stage {
 public:
  ConcatenationStage(const StageReader& reader, std::vector<int> takes) : takes_(std::move(takes)) {
    for (const int value : takes_) {
      widths_.push_back(reader.type_of(value).width);
      width_ += widths_.back();
    }
    gives_ = reader.gives({width_, false, kPrecision<T>});
  }

  Pull run(const AtomBlock& block, Values& values, bool gradient) const override {
    T* to = values.give<T>(gives_);
    for (size_t k = 0; k < takes_.size(); ++k) {
      const T* from = values.take<T>(takes_[k]);
      for (int64_t atom = 0; atom < block.num_atoms; ++atom) {
        std::copy_n(from + atom * widths_[k], widths_[k], to + atom * width_);
      }
      to += widths_[k];
    }
    if (!gradient) return {};
    return [this, &block, &values] {
      const T* upper = values.gradient<T>(gives_);
      for (size_t k = 0; k < takes_.size(); ++k) {
        values.add_gradient<T>(takes_[k], [&](T* out) {
          for (int64_t atom = 0; atom < block.num_atoms; ++atom) {
            std::copy_n(upper + atom * width_, widths_[k], out + atom * widths_[k]);
          }
        });
        upper += widths_[k];
      }
    };
  }

 private:
  std::vector<int> takes_;
  std::vector<int64_t> widths_;
  int64_t width_ = 0;
  int gives_;
};

}  // namespace

std::unique_ptr<Stage> make_concatenation(const StageReader& reader) {
  std::vector<int> takes;
  bool is_double = false;
  for (const Json& name : reader.fields.at("takes").items()) {
    takes.push_back(reader.value_named(name.text()));
    const ValueType& type = reader.type_of(takes.back());
    if (type.of_pairs) throw Error("a concatenation must take values of atoms");
    is_double = is_double || type.precision == Precision::float64;
  }
  if (is_double) return std::make_unique<ConcatenationStage<double>>(reader, std::move(takes));
  return std::make_unique<ConcatenationStage<float>>(reader, std::move(takes));
}

}  // namespace deeptf
