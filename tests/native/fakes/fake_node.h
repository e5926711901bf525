// Nodes of the fake runtime: what the library registers, kernels, and the tensors of one call.
#ifndef ONNX_ACTS_TESTS_FAKE_NODE_H_
#define ONNX_ACTS_TESTS_FAKE_NODE_H_

#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "activations/op.h"
#include "fakes/check.h"
#include "fakes/fake_ort.h"
#include "fakes/sizes.h"

namespace onnx_acts::fake {

inline const ElementSpec& SpecOf(ort::ElementType type) {
  for (const ElementSpec& spec : kElements) {
    if (spec.onnx_type == type) return spec;
  }
  throw std::invalid_argument("no element type of the library");
}

inline std::size_t ElementSize(ort::ElementType type) {
  return type == ort::kUint8 ? sizeof(uint8_t) : SpecOf(type).size;
}

inline std::size_t ByteCount(ort::ElementType type, const Sizes& sizes) {
  return static_cast<std::size_t>(Product(sizes)) * ElementSize(type);
}

// The library's operators, registered with a runtime; they live as long as the process.
template <class Runtime>
const std::vector<const ort::CustomOp*>& AllOps() {
  static ort::SessionOptions options;
  if (options.domains.empty()) Take(RegisterCustomOps(&options, &Runtime::kBase));
  return options.domains.at(0)->ops;
}

template <class Runtime>
std::vector<const ort::CustomOp*> OpsWhere(bool is_quantized) {
  std::vector<const ort::CustomOp*> found;
  for (const ort::CustomOp* op : AllOps<Runtime>()) {
    if ((op->GetInputType(op, 0) == ort::kUint8) == is_quantized) found.push_back(op);
  }
  return found;
}

// Those in floating point.
template <class Runtime>
const std::vector<const ort::CustomOp*>& RegisteredOps() {
  static const std::vector<const ort::CustomOp*> ops = OpsWhere<Runtime>(false);
  return ops;
}

// Those on tensors of 8 bits.
template <class Runtime>
const std::vector<const ort::CustomOp*>& QuantizedOps() {
  static const std::vector<const ort::CustomOp*> ops = OpsWhere<Runtime>(true);
  return ops;
}

// The table's record of an operator in floating point.
inline const OpSpec& SpecOf(const ort::CustomOp* op) {
  for (const OpSpec& spec : kOps) {
    if (std::strcmp(op->GetName(op), spec.name) == 0) return spec;
  }
  throw std::invalid_argument("no operator of the library");
}

// "ELU of float16"
inline std::string NameOf(const ort::CustomOp* op) {
  return std::string(op->GetName(op)) + " of " + SpecOf(op->GetInputType(op, 0)).name;
}

// The library must have had nothing to say.
inline void CheckOk(ort::Status* status, const std::string& where) {
  const std::string message = Take(status);
  CHECK(message.empty(), "%s: status '%s'", where.c_str(), message.c_str());
}

inline ort::Attribute OneDouble(double* value) {
  ort::Attribute attribute;
  attribute.kind = ort::Attribute::Kind::kTensor;
  attribute.tensor = {{ort::kDouble, {}}, reinterpret_cast<char*>(value)};
  return attribute;
}

inline ort::Attribute Integer(int64_t value) {
  ort::Attribute attribute;
  attribute.kind = ort::Attribute::Kind::kInt;
  attribute.integer = value;
  return attribute;
}

// A kernel that was made, or why it was not.
class FakeNode {
 public:
  FakeNode(const ort::CustomOp* op, const ort::Api* api, const ort::KernelInfo& info)
      : op_(op), status_(op->CreateKernelV2(op, api, &info, &kernel_)) {}
  ~FakeNode() {
    if (kernel_ != nullptr) op_->KernelDestroy(kernel_);
    Take(status_);
  }
  FakeNode(const FakeNode&) = delete;
  FakeNode& operator=(const FakeNode&) = delete;

  void* kernel() const { return kernel_; }
  ort::Status* TakeStatus() { return std::exchange(status_, nullptr); }
  ort::Status* Run(ort::KernelContext* context) const {
    return op_->KernelComputeV2(kernel_, context);
  }

 private:
  const ort::CustomOp* op_;
  void* kernel_ = nullptr;
  ort::Status* status_;
};

// The tensors of one call, each in memory of exactly its size.
class FakeCall {
 public:
  ort::KernelContext context;

  char* AddInput(ort::ElementType type, const Sizes& sizes) {
    return Add(context.inputs, type, sizes);
  }
  char* AddOutput(ort::ElementType type, const Sizes& sizes) {
    return Add(context.outputs, type, sizes);
  }

 private:
  char* Add(std::vector<ort::Value>& values, ort::ElementType type, const Sizes& sizes) {
    memory_.push_back(std::make_unique<char[]>(ByteCount(type, sizes)));
    values.push_back({{type, sizes}, memory_.back().get()});
    return memory_.back().get();
  }

  std::vector<std::unique_ptr<char[]>> memory_;
};

}  // namespace onnx_acts::fake

#endif  // ONNX_ACTS_TESTS_FAKE_NODE_H_
