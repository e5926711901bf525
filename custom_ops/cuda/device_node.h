// A node on the device of device.h.
#ifndef ONNX_ACTS_DEVICE_NODE_H_
#define ONNX_ACTS_DEVICE_NODE_H_

#include "cuda/device.h"
#include "ort/node.h"

namespace onnx_acts {

class DeviceNode final : public Node {
 public:
  // Throws where the device cannot be used, too.
  DeviceNode(const OpSpec& spec, Element element, const ort::Api* api, const ort::KernelInfo* info);
  ~DeviceNode() override;

 private:
  void ComputeUniform(const Call& call) const override;
  void ComputeSlopes(const Call& call, const SlopeLayout& layout,
                     const char* slopes) const override;
  void ComputeDraw(const Call& call) const override;
  bool UsesTable() const;
  const uint16_t* MakeTable() const;
  void* StreamOf(const Call& call) const;

  // Runs part(stream, begin, count) over [0, call.count), one launch each; errors name the node.
  template <class Part>
  void ForEachLaunch(const Call& call, const Part& part) const;
  template <class Body>
  void NamingTheNode(const Body& body) const;

  device::Device device_ = {};
  const uint16_t* table_ = nullptr;  // in device memory, if y is looked up
};

}  // namespace onnx_acts

#endif  // ONNX_ACTS_DEVICE_NODE_H_
