// One node of a session: its checked parameters, and the computation.
#ifndef ONNX_ACTS_KERNEL_H_
#define ONNX_ACTS_KERNEL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "loops.h"
#include "op.h"
#include "ort_abi.h"

namespace onnx_acts {

class Shape;

// Immutable after construction: any number of threads may run it at once.
class Kernel {
 public:
  // Throws InvalidArgument where the node's attributes are refused.
  Kernel(const OpSpec& spec, Element element, const ort::Api* api, const ort::KernelInfo* info);

  void Compute(ort::KernelContext* context) const;

  const ort::Api* api() const { return api_; }

 private:
  // Pointers to elements [0, count) of the tensors of one call.
  struct Call {
    ort::KernelContext* context;
    const char* x;
    char* y;
    char* noise;  // null where the node has no such output
    int64_t count;
  };

  void ReadDraw(const class Attributes& attributes);
  void CheckStaticShapes(const ort::KernelInfo* info) const;
  void FillTable();
  ort::Value* Output(ort::KernelContext* context, std::size_t index, const Shape& shape) const;
  void ComputeUniform(const Call& call) const;
  void ComputeSlopes(const Call& call, const Shape& x_shape) const;
  void ComputeDraw(const Call& call) const;
  void DrawChunk(const Call& call, int64_t begin, int64_t end) const;

  // Runs body(begin, end) over [0, count), on the runtime's threads where that pays.
  template <class Body>
  void ForEachChunk(ort::KernelContext* context, int64_t count, const Body& body) const;

  const ort::Api* api_;
  const Loops* loops_;
  const OpSpec& spec_;
  int element_;  // column of the loop table
  std::size_t element_size_;
  std::string node_name_;
  double parameter_ = 0;          // alpha, or the mean of RReLU's bounds
  bool training_ = false;         // RReLU
  uint64_t seed_ = 0;             // RReLU
  double lower_ = 0, width_ = 0;  // RReLU
  std::vector<uint16_t> table_;   // y for every 16-bit x; or empty
};

}  // namespace onnx_acts

#endif  // ONNX_ACTS_KERNEL_H_
