// The build line of a library of deeptf, read from its file before it is opened: a mark, then words
// that end with `|` (core/base/build_info.cc, tf/build_info.cc).
#pragma once

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace deeptf {

// The first `number` words behind the mark in the content of a file; fewer where it has no such
// line.
inline std::vector<std::string> build_line(std::istream& stream, const std::string& mark,
                                           size_t number) {
  const std::string content{std::istreambuf_iterator<char>(stream), {}};
  std::vector<std::string> words;
  size_t begin = content.find(mark);
  if (begin == std::string::npos) return words;
  for (begin += mark.size(); words.size() < number;) {
    const size_t end = content.find('|', begin);
    if (end == std::string::npos) break;
    words.push_back(content.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

}  // namespace deeptf
