// The graph of a frozen model in TensorFlow: arrays in by name, arrays out.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "engine/tensorflow/library.h"

namespace deeptf {

template <class T>
using Owned = std::unique_ptr<T, void (*)(T*)>;

// An array for a placeholder.
struct Feed {
  const char* name;
  TF_DataType type;
  std::vector<int64_t> shape;
  const void* data;
};

// An array that the graph gave.
class Fetched {
 public:
  Fetched(const TensorFlow& tf, std::string name, TF_Tensor* tensor)
      : tf_(&tf), name_(std::move(name)), tensor_(tensor, tf.TF_DeleteTensor) {}

  // Its numbers; Error where it has another number of them, or another type.
  const double* doubles(int64_t count) const;
  const int64_t* integers(int64_t count) const;

 private:
  const void* data(TF_DataType type, int64_t count) const;

  const TensorFlow* tf_;
  std::string name_;
  Owned<TF_Tensor> tensor_;
};

class Graph {
 public:
  // Throws Error where TensorFlow cannot take the content of a file as a graph.
  Graph(const TensorFlow& tf, std::string_view content);

  bool has(const char* name) const;

  // Runs on so many threads what `fetches` need; any number of threads may call it. Throws Error,
  // for wrong input the message of the op that refuses it.
  std::vector<Fetched> run(const std::vector<Feed>& feeds, const std::vector<const char*>& fetches,
                           int threads) const;

 private:
  struct Close {
    const TensorFlow* tf;
    void operator()(TF_Session* session) const;
  };
  using Session = std::unique_ptr<TF_Session, Close>;

  TF_Output place(const char* name) const;
  TF_Session* session(int threads) const;

  const TensorFlow& tf_;
  Owned<TF_Graph> graph_;
  mutable std::mutex mutex_;
  mutable std::map<int, Session> sessions_;  // by their threads
};

}  // namespace deeptf
