// A node on the CPU.
#ifndef ONNX_ACTS_KERNEL_H_
#define ONNX_ACTS_KERNEL_H_

#include <vector>

#include "loops.h"
#include "node.h"

namespace onnx_acts {

class Kernel final : public Node {
 public:
  Kernel(const OpSpec& spec, Element element, const ort::Api* api, const ort::KernelInfo* info);

 private:
  void ComputeUniform(const Call& call) const override;
  void ComputeSlopes(const Call& call, const SlopeLayout& layout,
                     const char* slopes) const override;
  void ComputeDraw(const Call& call) const override;
  void DrawChunk(const Call& call, int64_t begin, int64_t end) const;
  void FillTable();
  Loops::Stream StreamFor(const Call& call) const;

  // Runs body(begin, end, stream) over the call's elements, on the runtime's threads where that
  // pays.
  template <class Body>
  void ForEachChunk(const Call& call, const Body& body) const;

  const Loops* loops_;
  int column_;                   // of the loop table
  int64_t stream_from_;          // bytes of Y
  std::vector<uint16_t> table_;  // y for every 16-bit x; or empty
};

}  // namespace onnx_acts

#endif  // ONNX_ACTS_KERNEL_H_
