#include "engine/tensorflow/graph.h"

#include <cstring>
#include <numeric>

#include "core/base/error.h"

namespace deeptf {
namespace {

class Status {
 public:
  explicit Status(const TensorFlow& tf) : tf_(tf), status_(tf.TF_NewStatus(), tf.TF_DeleteStatus) {}

  TF_Status* get() const { return status_.get(); }
  TF_Code code() const { return tf_.TF_GetCode(get()); }
  std::string message() const { return tf_.TF_Message(get()); }
  void must_be_ok(const char* wanted) const {
    if (code() != TF_OK) throw Error(std::string(wanted) + ", got `" + message() + "`");
  }

 private:
  const TensorFlow& tf_;
  Owned<TF_Status> status_;
};

// What an op says of its input: TensorFlow puts the history of the node before it, and its name
// behind it.
std::string op_message(std::string text) {
  text = text.substr(0, text.find("\n\t [["));
  return text.substr(text.rfind('\n') + 1);
}

void add_varint(uint64_t value, std::string* bytes) {
  for (; value >= 0x80; value >>= 7) bytes->push_back(static_cast<char>(value | 0x80));
  bytes->push_back(static_cast<char>(value));
}

// A ConfigProto as that of deeptf/tf.py: ops run one after the other in the calling thread, each on
// up to so many threads; idle threads sleep at once, memory of a GPU is taken as needed, and the
// graph is run as it was built.
std::string config(int threads) {
  std::string bytes = "\x10";  // intra_op_parallelism_threads
  add_varint(static_cast<uint64_t>(threads), &bytes);
  bytes += "\x28";  // inter_op_parallelism_threads
  add_varint(~uint64_t{0}, &bytes);
  bytes += "\x32\x02\x20\x01";  // gpu_options { allow_growth: true }
  // graph_options { rewrite_options { disable_meta_optimizer: true } }
  bytes += "\x52\x05\x52\x03\x98\x01\x01";
  bytes += "\x82\x01\x02\x48\x01";  // experimental { disable_thread_spinning: true }
  return bytes;
}

size_t size_of(TF_DataType type) { return type == TF_INT32 ? 4 : 8; }

Owned<TF_Tensor> tensor_of(const TensorFlow& tf, const Feed& feed) {
  const int64_t count =
      std::accumulate(feed.shape.begin(), feed.shape.end(), int64_t{1}, std::multiplies<>());
  const size_t bytes = static_cast<size_t>(count) * size_of(feed.type);
  const auto rank = static_cast<int>(feed.shape.size());
  Owned<TF_Tensor> tensor(tf.TF_AllocateTensor(feed.type, feed.shape.data(), rank, bytes),
                          tf.TF_DeleteTensor);
  if (tensor == nullptr) throw std::bad_alloc();
  if (bytes > 0) std::memcpy(tf.TF_TensorData(tensor.get()), feed.data, bytes);
  return tensor;
}

}  // namespace

const double* Fetched::doubles(int64_t count) const {
  return static_cast<const double*>(data(TF_DOUBLE, count));
}

const int64_t* Fetched::integers(int64_t count) const {
  return static_cast<const int64_t*>(data(TF_INT64, count));
}

const void* Fetched::data(TF_DataType type, int64_t count) const {
  const TF_DataType found = tf_->TF_TensorType(tensor_.get());
  const size_t bytes = tf_->TF_TensorByteSize(tensor_.get());
  if (found == type && bytes == static_cast<size_t>(count) * size_of(type)) {
    return tf_->TF_TensorData(tensor_.get());
  }
  throw Error("the graph of the model must give `" + name_ + "` as " + std::to_string(count) +
              (type == TF_DOUBLE ? " float64" : " int64") + " numbers, got " +
              std::to_string(bytes) + " bytes of TensorFlow's type " + std::to_string(found) +
              ": the file is damaged; freeze or copy it again");
}

void Graph::Close::operator()(TF_Session* session) const {
  const Status status(*tf);
  tf->TF_CloseSession(session, status.get());
  tf->TF_DeleteSession(session, status.get());
}

Graph::Graph(const TensorFlow& tf, std::string_view content)
    : tf_(tf), graph_(tf.TF_NewGraph(), tf.TF_DeleteGraph) {
  const Status status(tf);
  const Owned<TF_Buffer> buffer(tf.TF_NewBufferFromString(content.data(), content.size()),
                                tf.TF_DeleteBuffer);
  const Owned<TF_ImportGraphDefOptions> options(tf.TF_NewImportGraphDefOptions(),
                                                tf.TF_DeleteImportGraphDefOptions);
  tf.TF_GraphImportGraphDef(graph_.get(), buffer.get(), options.get(), status.get());
  status.must_be_ok("`model_file` must hold a whole graph");
}

bool Graph::has(const char* name) const {
  return tf_.TF_GraphOperationByName(graph_.get(), name) != nullptr;
}

TF_Output Graph::place(const char* name) const {
  TF_Operation* found = tf_.TF_GraphOperationByName(graph_.get(), name);
  if (found == nullptr) {
    throw Error("the graph of the model must have the node " + std::string(name) +
                ", got none: the file is damaged; freeze or copy it again");
  }
  return {found, 0};
}

TF_Session* Graph::session(int threads) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = sessions_.find(threads);
  if (found != sessions_.end()) return found->second.get();
  const Status status(tf_);
  const Owned<TF_SessionOptions> options(tf_.TF_NewSessionOptions(), tf_.TF_DeleteSessionOptions);
  const std::string bytes = config(threads);
  const char* wanted = "TensorFlow must give a session for the model";
  tf_.TF_SetConfig(options.get(), bytes.data(), bytes.size(), status.get());
  status.must_be_ok(wanted);
  Session made(tf_.TF_NewSession(graph_.get(), options.get(), status.get()), Close{&tf_});
  status.must_be_ok(wanted);
  return sessions_.emplace(threads, std::move(made)).first->second.get();
}

std::vector<Fetched> Graph::run(const std::vector<Feed>& feeds,
                                const std::vector<const char*>& fetches, int threads) const {
  std::vector<TF_Output> in, out;
  std::vector<Owned<TF_Tensor>> given;
  std::vector<TF_Tensor*> in_values, out_values(fetches.size());
  for (const Feed& feed : feeds) {
    in.push_back(place(feed.name));
    given.push_back(tensor_of(tf_, feed));
    in_values.push_back(given.back().get());
  }
  for (const char* name : fetches) out.push_back(place(name));
  const Status status(tf_);
  tf_.TF_SessionRun(session(threads), nullptr, in.data(), in_values.data(),
                    static_cast<int>(in.size()), out.data(), out_values.data(),
                    static_cast<int>(out.size()), nullptr, 0, nullptr, status.get());
  if (status.code() == TF_INVALID_ARGUMENT) throw Error(op_message(status.message()));
  status.must_be_ok("TensorFlow must be able to evaluate the model");
  std::vector<Fetched> results;
  for (size_t k = 0; k < fetches.size(); ++k) results.emplace_back(tf_, fetches[k], out_values[k]);
  return results;
}

}  // namespace deeptf
