// Nodes of the fake runtime: what the library registers, kernels, and the tensors of one call.
#ifndef ONNX_ACTS_TESTS_FAKE_NODE_H_
#define ONNX_ACTS_TESTS_FAKE_NODE_H_

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "activations/op.h"
#include "fakes/fake_ort.h"

namespace onnx_acts::fake {

using Sizes = std::vector<int64_t>;

inline std::size_t ElementSize(ort::ElementType type) {
  for (const ElementSpec& spec : kElements) {
    if (spec.onnx_type == type) return spec.size;
  }
  return 0;
}

inline int64_t ElementCount(const Sizes& sizes) {
  int64_t product = 1;
  for (const int64_t size : sizes) product *= size;
  return product;
}

// The library's operators, registered with a runtime; they live as long as the process.
template <class Runtime>
const std::vector<const ort::CustomOp*>& RegisteredOps() {
  static ort::SessionOptions options;
  if (options.domains.empty()) Take(RegisterCustomOps(&options, &Runtime::kBase));
  return options.domains.at(0)->ops;
}

inline bool Is(const ort::CustomOp* op, const char* name) {
  return std::strcmp(op->GetName(op), name) == 0;
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
    const std::size_t bytes = static_cast<std::size_t>(ElementCount(sizes)) * ElementSize(type);
    memory_.push_back(std::make_unique<char[]>(bytes));
    values.push_back({{type, sizes}, memory_.back().get()});
    return memory_.back().get();
  }

  std::vector<std::unique_ptr<char[]>> memory_;
};

}  // namespace onnx_acts::fake

#endif  // ONNX_ACTS_TESTS_FAKE_NODE_H_
