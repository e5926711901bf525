// What the fake runtime shows an execution provider, as plain structs that a test fills.
#ifndef ONNX_ACTS_TESTS_FAKE_EP_H_
#define ONNX_ACTS_TESTS_FAKE_EP_H_

#include <map>
#include <string>
#include <vector>

#include "fakes/fake_ort.h"
#include "ort/ep_abi.h"

// What the library holds pointers to and never looks into.
namespace onnx_acts::ort {

struct HardwareDevice {
  HardwareDeviceType type;
};

struct EpDevice {
  std::map<std::string, std::string> options;
};

struct KeyValuePairs {
  std::map<std::string, std::string> entries;
};

struct ValueInfo {
  TypeInfo type;
};

struct OpAttr {
  float value;
};

struct Node {
  std::string domain;
  std::string name;  // of the operator
  int since_version = 16;
  std::vector<const ValueInfo*> inputs;  // null for one that the node lacks
  std::map<std::string, OpAttr> attributes;
};

struct Graph {
  std::vector<const Node*> nodes;
};

struct DataType {
  ElementType type;
};

struct KernelDef {
  std::string domain, name, provider, constraint;
  int first = 0, last = 0;
  ElementType type = kUndefined;
  bool in_place = false;
};

struct KernelDefBuilder {
  KernelDef definition;
};

struct KernelRegistry {
  struct Kernel {
    KernelDef definition;
    KernelCreateFunc make;
    void* state;
  };
  std::vector<Kernel> kernels;
};

struct GraphSupportInfo {
  const KernelRegistry* registry = nullptr;
  std::vector<const Node*> claimed;
};

}  // namespace onnx_acts::ort

// The library's entry points.
extern "C" onnx_acts::ort::Status* CreateEpFactories(const char* name,
                                                     const onnx_acts::ort::ApiBase* base,
                                                     const onnx_acts::ort::Logger* logger,
                                                     onnx_acts::ort::EpFactory** factories,
                                                     std::size_t room, std::size_t* count);
extern "C" onnx_acts::ort::Status* ReleaseEpFactory(onnx_acts::ort::EpFactory* factory);

#endif  // ONNX_ACTS_TESTS_FAKE_EP_H_
