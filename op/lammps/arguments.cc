#include "arguments.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <stdexcept>

namespace deeptf_lammps {
namespace {

// Takes words one after the other.
class Words {
 public:
  explicit Words(const std::vector<std::string>& words) : words_(words) {}

  bool ended() const { return next_ == words_.size(); }
  bool has_number() const { return !ended() && is_number(words_[next_]); }
  const std::string& take() { return words_[next_++]; }

  const std::string& take_value(const std::string& key) {
    if (ended()) throw std::runtime_error("`" + key + "` must be followed by a value, got none");
    return take();
  }

  double take_number(const std::string& key, double least) {
    const std::string& word = take_value(key);
    const double value = std::strtod(word.c_str(), nullptr);
    if (!is_number(word) || !(value >= least)) {
      throw std::runtime_error("`" + key + "` must be a number of at least " +
                               std::to_string(static_cast<int>(least)) + ", got " + word);
    }
    return value;
  }

  int64_t take_count(const std::string& key, int64_t least) {
    const std::string& word = take_value(key);
    char* end = nullptr;
    const int64_t value = std::strtoll(word.c_str(), &end, 10);
    if (*end != 0 || value < least) {
      throw std::runtime_error("`" + key + "` must be a whole number of at least " +
                               std::to_string(least) + ", got " + word);
    }
    return value;
  }

 private:
  static bool is_number(const std::string& word) {
    char* end = nullptr;
    std::strtod(word.c_str(), &end);
    return !word.empty() && *end == 0;
  }

  const std::vector<std::string>& words_;
  size_t next_ = 0;
};

void take_source(const std::string& key, Source::Kind kind, Words* words, Source* source) {
  if (source->kind != Source::none) {
    throw std::runtime_error("`" + key + "` must be the only source of its parameters, got `" +
                             source->words + "` too");
  }
  source->kind = kind;
  source->words = key;
  if (kind != Source::numbers) {
    source->id = words->take_value(key);
    source->words += " " + source->id;
    if (kind == Source::fix && words->has_number()) {
      source->column = static_cast<int>(words->take_count(key, 1));
    }
    return;
  }
  while (words->has_number()) source->values.push_back(words->take_number(key, -1e300));
  if (source->values.empty()) words->take_number(key, -1e300);
}

template <Source::Kind kind, Source Arguments::* source>
void take(const std::string& key, Words* words, Arguments* arguments) {
  take_source(key, kind, words, &(arguments->*source));
}

using Take = void (*)(const std::string& key, Words* words, Arguments* arguments);

const std::map<std::string, Take>& keys() {
  static const std::map<std::string, Take> all{
      {"out_file",
       [](const std::string& key, Words* words, Arguments* a) {
         a->out_file = words->take_value(key);
         a->writes = true;
       }},
      {"out_freq",
       [](const std::string& key, Words* words, Arguments* a) {
         a->out_freq = words->take_count(key, 0);
         a->writes = true;
       }},
      {"relative", [](const std::string& key, Words* words,
                      Arguments* a) { a->relative = words->take_number(key, 0); }},
      {"relative_v", [](const std::string& key, Words* words,
                        Arguments* a) { a->relative_v = words->take_number(key, 0); }},
      {"atomic", [](const std::string&, Words*, Arguments* a) { a->atomic = true; }},
      {"threads",
       [](const std::string& key, Words* words, Arguments* a) {
         a->threads = static_cast<int>(std::min<int64_t>(words->take_count(key, 1), 100000));
       }},
      {"gpu", [](const std::string& key, Words* words,
                 Arguments* a) { a->gpu = gpu_of(key, words->take_value(key)); }},
      {"fparam", take<Source::numbers, &Arguments::fparam>},
      {"fparam_from_compute", take<Source::compute, &Arguments::fparam>},
      {"fparam_from_fix", take<Source::fix, &Arguments::fparam>},
      {"aparam", take<Source::numbers, &Arguments::aparam>},
      {"aparam_from_compute", take<Source::compute, &Arguments::aparam>},
      {"ttm", take<Source::ttm, &Arguments::aparam>},
  };
  return all;
}

}  // namespace

std::string names_of_keywords() {
  std::string text;
  for (const auto& key : keys()) text += (text.empty() ? "" : ", ") + key.first;
  return text;
}

deeptf_gpu gpu_of(const std::string& key, const std::string& word) {
  static const std::map<std::string, deeptf_gpu> known{
      {"auto", DEEPTF_GPU_AUTO}, {"no", DEEPTF_GPU_NO}, {"yes", DEEPTF_GPU_YES}};
  const auto found = known.find(word);
  if (found != known.end()) return found->second;
  throw std::runtime_error("`" + key + "` must be auto, no or yes, got " + word);
}

Arguments::Arguments(const std::vector<std::string>& words) {
  Words rest(words);
  bool models_end = false;
  while (!rest.ended()) {
    const std::string& word = rest.take();
    const auto key = keys().find(word);
    if (key != keys().end()) {
      models_end = true;
      key->second(word, &rest, this);
    } else if (!models_end) {
      models.push_back(word);
    } else {
      throw std::runtime_error("a keyword of the pair style must be one of " + names_of_keywords() +
                               ", got " + word + " (model files come first)");
    }
  }
  if (models.empty()) {
    throw std::runtime_error("the pair style must be followed by a model file, got none");
  }
}

}  // namespace deeptf_lammps
