#include "convert.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <vector>

// The Python that has deeptf, where the plugin was compiled by it.
#ifndef DEEPTF_PYTHON
#define DEEPTF_PYTHON ""
#endif

extern char** environ;

namespace deeptf_lammps {
namespace {

// Runs a program to its end; whether it went well, and what it printed.
bool run(std::vector<std::string> words, std::string* printed) {
  int pipe_ends[2];
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) {
    *printed = std::strerror(errno);
    return false;
  }
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDERR_FILENO);
  pid_t child = 0;
  const int error = posix_spawn(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(pipe_ends[1]);
  char part[4096];
  for (ssize_t count; (count = read(pipe_ends[0], part, sizeof part)) > 0;) {
    printed->append(part, count);
  }
  close(pipe_ends[0]);
  if (error != 0) *printed = std::strerror(error);
  int status = 1;
  return error == 0 && waitpid(child, &status, 0) == child && status == 0;
}

std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.substr(text.rfind('\n') + 1);  // npos + 1 is 0
}

}  // namespace

bool is_of_deepmd(const std::string& message) {
  return message.find("a model of deepmd-kit") != std::string::npos;
}

std::string converted(const std::string& path) {
  std::filesystem::path target = path;
  target.replace_extension(".deeptf.pb");
  std::error_code missing, missing_target;
  const auto written = std::filesystem::last_write_time(path, missing);
  const auto written_target = std::filesystem::last_write_time(target, missing_target);
  if (!missing && !missing_target && written_target >= written) return target;
  const std::string python = DEEPTF_PYTHON;
  std::string printed = "no Python is known here";
  if (!python.empty()) {
    printed.clear();
    if (run({python, "-m", "deeptf", "convert", path, target}, &printed)) return target;
  }
  throw std::runtime_error(
      "model file " + path + " is one of deepmd-kit and must be converted, which failed (" +
      last_line(printed) + "): run `deeptf convert " + path + " " + target.string() +
      "` once where deeptf has TensorFlow; the script can stay as it is");
}

}  // namespace deeptf_lammps
