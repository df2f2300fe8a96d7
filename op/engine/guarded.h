// Exceptions turned into messages, at the edge of a library with a C interface.
#pragma once

#include <exception>
#include <new>
#include <string>

namespace deeptf {

// Of this thread; valid until its next failure.
inline std::string& last_error() {
  thread_local std::string text;
  return text;
}

inline int failed(const char* message) {
  try {
    last_error() = message;
  } catch (...) {
    last_error().clear();
  }
  return 1;
}

// Calls body, which may throw anything; 0 where it did not.
template <class Body>
int guarded(const Body& body) {
  try {
    body();
    return 0;
  } catch (const std::bad_alloc&) {
    return failed(
        "there must be enough memory, got none: evaluate fewer atoms or frames at a time");
  } catch (const std::exception& error) {
    return failed(error.what());
  } catch (...) {
    return failed("an unknown error");
  }
}

}  // namespace deeptf
