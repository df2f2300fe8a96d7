// Exceptions as errors of LAMMPS.
#pragma once

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

#include "error.h"

namespace deeptf_lammps {

// Calls body; returns whether it failed, and with which message.
template <class Body>
bool fails(const Body& body, std::string* message) {
  try {
    body();
    return false;
  } catch (const std::runtime_error& failure) {
    *message = failure.what();
    return true;
  }
}

// Calls body, which fails on all ranks or on none; what it throws ends the script with a message.
template <class Body>
void guarded(LAMMPS_NS::Error* error, const Body& body) {
  std::string message;
  if (fails(body, &message)) error->all("deeptf", 0, message);
}

// The same where one rank may fail alone. The message is printed when error->one throws, and what
// follows ends all ranks at once: without a pause it may get lost on its way through mpirun.
template <class Body>
void guarded_one(LAMMPS_NS::Error* error, const Body& body) {
  std::string message;
  if (!fails(body, &message)) return;
  try {
    error->one("deeptf", 0, message);
  } catch (...) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    throw;
  }
}

}  // namespace deeptf_lammps
