// A node on the CPU.
#ifndef ONNX_ACTS_CPU_NODE_H_
#define ONNX_ACTS_CPU_NODE_H_

#include <vector>

#include "cpu/loops.h"
#include "ort/node.h"

namespace onnx_acts {

class CpuNode final : public Node {
 public:
  CpuNode(const OpSpec& spec, Element element, const ort::Api* api, const ort::KernelInfo* info);

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
  void InChunks(const Call& call, const Body& body) const;

  const Loops* loops_;
  const ElementLoops& own_;      // those of the element type
  int64_t stream_from_;          // bytes of Y
  std::vector<uint16_t> table_;  // y for every 16-bit x; or empty
};

}  // namespace onnx_acts

#endif  // ONNX_ACTS_CPU_NODE_H_
