// A node on the CPU.
#ifndef ONNX_ACTS_CPU_NODE_H_
#define ONNX_ACTS_CPU_NODE_H_

#include <memory>

#include "cpu/faster_way.h"
#include "cpu/loops.h"
#include "cpu/results_table.h"
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
  void Calculate(const Call& call) const;
  void LookUp(const Call& call) const;
  Loops::Stream StreamFor(const Call& call) const;

  // Runs body(begin, end, stream) over the call's elements, on the runtime's threads where that
  // pays.
  template <class Body>
  void ForEachChunk(const Call& call, const Body& body) const;
  // Runs body(x, y, count) over them, for a Y that is streamed where that pays.
  template <class Body>
  void ForEachPiece(const Call& call, const Body& body) const;

  const Loops* loops_;
  const ElementLoops& own_;  // those of the element type
  int64_t stream_from_;      // bytes of Y
  // Of 16-bit results that may be looked up: the table, and which way is faster where either will
  // do. Else null.
  std::shared_ptr<const ResultsTable> table_;
  std::unique_ptr<FasterWay<>> faster_;
};

}  // namespace onnx_acts

#endif  // ONNX_ACTS_CPU_NODE_H_
