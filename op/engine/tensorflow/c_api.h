// What is used of TensorFlow's C interface, declared here so that no header of TensorFlow is
// needed.
//
// Its names, structs and numbers are those of TensorFlow 2 (tensorflow/c/c_api.h). Nothing of it is
// linked: library.h finds the functions in a library that is opened.
#pragma once

#include <cstddef>
#include <cstdint>

namespace deeptf {

extern "C" {

struct TF_Status;
struct TF_Tensor;
struct TF_Buffer;
struct TF_Graph;
struct TF_Operation;
struct TF_ImportGraphDefOptions;
struct TF_SessionOptions;
struct TF_Session;
struct TF_Library;

struct TF_Output {
  TF_Operation* oper;
  int index;
};

enum TF_DataType : int { TF_DOUBLE = 2, TF_INT32 = 3, TF_INT64 = 9 };
enum TF_Code : int { TF_OK = 0, TF_INVALID_ARGUMENT = 3 };

const char* TF_Version();

TF_Status* TF_NewStatus();
void TF_DeleteStatus(TF_Status*);
TF_Code TF_GetCode(const TF_Status*);
const char* TF_Message(const TF_Status*);

TF_Tensor* TF_AllocateTensor(TF_DataType, const int64_t* dims, int num_dims, size_t bytes);
void TF_DeleteTensor(TF_Tensor*);
TF_DataType TF_TensorType(const TF_Tensor*);
size_t TF_TensorByteSize(const TF_Tensor*);
void* TF_TensorData(const TF_Tensor*);

TF_Buffer* TF_NewBufferFromString(const void* content, size_t length);
void TF_DeleteBuffer(TF_Buffer*);

TF_Graph* TF_NewGraph();
void TF_DeleteGraph(TF_Graph*);
TF_ImportGraphDefOptions* TF_NewImportGraphDefOptions();
void TF_DeleteImportGraphDefOptions(TF_ImportGraphDefOptions*);
void TF_GraphImportGraphDef(TF_Graph*, const TF_Buffer*, const TF_ImportGraphDefOptions*,
                            TF_Status*);
TF_Operation* TF_GraphOperationByName(TF_Graph*, const char* name);

TF_SessionOptions* TF_NewSessionOptions();
void TF_DeleteSessionOptions(TF_SessionOptions*);
void TF_SetConfig(TF_SessionOptions*, const void* config, size_t length, TF_Status*);
TF_Session* TF_NewSession(TF_Graph*, const TF_SessionOptions*, TF_Status*);
void TF_CloseSession(TF_Session*, TF_Status*);
void TF_DeleteSession(TF_Session*, TF_Status*);
void TF_SessionRun(TF_Session*, const TF_Buffer* run_options, const TF_Output* inputs,
                   TF_Tensor* const* input_values, int num_inputs, const TF_Output* outputs,
                   TF_Tensor** output_values, int num_outputs,
                   const TF_Operation* const* target_operations, int num_targets,
                   TF_Buffer* run_metadata, TF_Status*);

TF_Library* TF_LoadLibrary(const char* path, TF_Status*);

}  // extern "C"

#define DEEPTF_TENSORFLOW_FUNCTIONS(X) \
  X(TF_Version)                        \
  X(TF_NewStatus)                      \
  X(TF_DeleteStatus)                   \
  X(TF_GetCode)                        \
  X(TF_Message)                        \
  X(TF_AllocateTensor)                 \
  X(TF_DeleteTensor)                   \
  X(TF_TensorType)                     \
  X(TF_TensorByteSize)                 \
  X(TF_TensorData)                     \
  X(TF_NewBufferFromString)            \
  X(TF_DeleteBuffer)                   \
  X(TF_NewGraph)                       \
  X(TF_DeleteGraph)                    \
  X(TF_NewImportGraphDefOptions)       \
  X(TF_DeleteImportGraphDefOptions)    \
  X(TF_GraphImportGraphDef)            \
  X(TF_GraphOperationByName)           \
  X(TF_NewSessionOptions)              \
  X(TF_DeleteSessionOptions)           \
  X(TF_SetConfig)                      \
  X(TF_NewSession)                     \
  X(TF_CloseSession)                   \
  X(TF_DeleteSession)                  \
  X(TF_SessionRun)                     \
  X(TF_LoadLibrary)

}  // namespace deeptf
