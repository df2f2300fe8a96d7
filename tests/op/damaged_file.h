// A real frozen model, and damage to it at random.
#pragma once

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "engine/file/model_file.h"

namespace deeptf_test {

inline std::string golden() {
  std::ifstream stream(GOLDEN, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

// Where a frozen model has what the engine reads: its constants and its description.
inline std::vector<size_t> places_of(const std::string& whole) {
  std::vector<size_t> places;
  const deeptf::ModelFile model("whole.pb", whole);
  for (const auto& [name, about] : model.metadata().at("constants").members()) {
    places.push_back(whole.find(name));
  }
  const size_t description = whole.find("\"format\"");
  for (size_t k = 0; k < model.metadata_text().size(); k += 100) places.push_back(description + k);
  return places;
}

// Cuts a file, or changes, inserts and leaves out a few bytes, nearly always close to `places`.
inline std::vector<char> damaged(const std::string& whole, const std::vector<size_t>& places,
                                 std::mt19937* engine) {
  const auto draw = [engine](size_t count) { return (*engine)() % count; };
  const auto place = [&](const std::string& content) {
    const size_t near = places[draw(places.size())] + draw(120) - 80;
    return draw(8) == 0 ? draw(content.size()) : std::min(near, content.size() - 1);
  };
  static constexpr char kBytes[] = "\0\1\2\n\x12\x42\x7f\x80\xff";
  std::string content = whole;
  for (size_t n = draw(3) + 1; n > 0; --n) {
    const size_t at = place(content);
    switch (draw(6)) {
      case 0:
        content[at] = static_cast<char>(content[at] ^ 1 << draw(8));
        break;
      case 1:
        content[at] = static_cast<char>(draw(256));
        break;
      case 2:
        content[at] = static_cast<char>(content[at] + (draw(2) == 0 ? 1 : -1));
        break;
      case 3:
        content.erase(at, draw(8) + 1);
        break;
      case 4:
        content.insert(at, draw(10) + 1, kBytes[draw(sizeof kBytes - 1)]);
        break;
      default:
        if (draw(4) == 0) content.resize(at + 1);
    }
  }
  return {content.begin(), content.end()};
}

}  // namespace deeptf_test
