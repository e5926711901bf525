// A runtime of the tests' own: the slots of OrtApi that the library calls, served from plain
// structs that a test fills with whatever it likes, and able to fail at any call.
#ifndef ONNX_ACTS_TESTS_FAKE_ORT_H_
#define ONNX_ACTS_TESTS_FAKE_ORT_H_

#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "fakes/inside.h"
#include "ort/ort_abi.h"

// What the library holds pointers to and never looks into.
namespace onnx_acts::ort {

struct Status {
  int code;
  std::string message;
};

struct TensorTypeAndShapeInfo {
  ElementType type = kUndefined;
  std::vector<int64_t> sizes;
  std::vector<std::string> names = {};  // of the first sizes; the others have none
  bool has_shape = true;                // else it has no sizes
};

struct TypeInfo {
  TensorTypeAndShapeInfo tensor;
  bool is_tensor = true;
};

struct Value {
  TensorTypeAndShapeInfo info;
  char* data = nullptr;  // somebody else's
};

struct Allocator {};

// One attribute, as the runtime shows it: a list of a kind that no getter knows is kOther.
struct Attribute {
  enum class Kind { kTensor, kFloat, kInt, kString, kFloats, kInts, kOther } kind = Kind::kOther;
  Value tensor;
  float single = 0;
  int64_t integer = 0;
  std::size_t size = 0;  // of a list or a string
};

struct KernelInfo {
  std::string name;
  std::map<std::string, Attribute> attributes;
  std::vector<TypeInfo> inputs;
  std::map<std::size_t, Value> constants;  // inputs whose values the model holds
};

struct KernelContext {
  std::vector<Value> inputs;
  std::vector<Value> outputs;  // where `data` is null, no memory can be had
  int threads = 1;             // of ParallelFor
  void* stream = nullptr;
};

struct ShapeInferContext {
  TensorTypeAndShapeInfo x;
  TensorTypeAndShapeInfo y;  // what the library says
};

struct CustomOpDomain {
  std::vector<const CustomOp*> ops;
};

struct SessionOptions {
  std::map<std::string, std::string> entries;
  std::vector<const CustomOpDomain*> domains;
};

}  // namespace onnx_acts::ort

namespace onnx_acts::fake {

// The code of the failures that are put in: no other function of this runtime uses it.
constexpr int kInjected = 6;  // ORT_RUNTIME_EXCEPTION

// What happens during a test.
struct Events {
  std::atomic<long> calls{0};  // that return a status
  long failing = 0;            // this one fails, counted from 1
  std::atomic<long> live{0};   // objects that the library has to release
};
extern Events events;

// What a slot holds that the library should not call: it ends the program.
void Unexpected();

// Every slot of OrtApi.
class Table {
 public:
  Table();
  const ort::Api* api() const { return reinterpret_cast<const ort::Api*>(slots_); }

 private:
  // Only a function of the slot's own signature will do.
  template <int kSlot, class Result, class... Args>
  void Serve(const ort::Slot<kSlot, Result(Args...)>&, Result (*function)(Args...)) {
    slots_[kSlot] = reinterpret_cast<void (*)()>(function);
  }
  void ServeProviders();  // fake_ep.cc

  static constexpr std::size_t kSlots = 400;
  void (*slots_[kSlots])();
};

// The runtime "1.kVersion.0"; each number has a table of its own.
template <uint32_t kVersion, int kNumber = 0>
struct Runtime {
  static const ort::Api* Api() {
    const Inside scope;
    static const Table table;
    return table.api();
  }
  static const ort::Api* GetApi(uint32_t version) { return version <= kVersion ? Api() : nullptr; }
  static const char* GetVersionString() {
    const Inside scope;
    static const std::string text = "1." + std::to_string(kVersion) + ".0";
    return text.c_str();
  }
  static constexpr ort::ApiBase kBase = {GetApi, GetVersionString};
};

// Releases a status and returns its message; "" for none.
std::string Take(ort::Status* status);

}  // namespace onnx_acts::fake

// The library's entry points.
extern "C" onnx_acts::ort::Status* RegisterCustomOps(onnx_acts::ort::SessionOptions* options,
                                                     const onnx_acts::ort::ApiBase* base);
extern "C" const char* OnnxActsInfo();

#endif  // ONNX_ACTS_TESTS_FAKE_ORT_H_
