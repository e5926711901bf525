#include "fakes/fake_ep.h"

#include "fakes/answering.h"

namespace onnx_acts::fake {
namespace {

using ort::GraphSupportInfo;
using ort::KernelDef;
using ort::KernelDefBuilder;
using ort::KernelRegistry;
using ort::KeyValuePairs;
using ort::Status;
using ort::ValueInfo;

// ---- OrtApi

Status* ReadAttribute(const ort::OpAttr* attribute, ort::OpAttrType type, void* data,
                      std::size_t room, std::size_t* size) {
  return Answer([&]() -> Status* {
    *size = sizeof attribute->value;
    if (type != ort::kFloatAttribute || room < *size) return Fails(ort::kFail, "not so");
    std::memcpy(data, &attribute->value, *size);
    return nullptr;
  });
}

Status* GetTypeOfValue(const ValueInfo* value, const ort::TypeInfo** out) {
  return Done([&] { *out = &value->type; });
}

void MakePairs(KeyValuePairs** out) {
  const Inside scope;
  *out = Made(KeyValuePairs{});
}

void AddPair(KeyValuePairs* pairs, const char* key, const char* value) {
  const Inside scope;
  pairs->entries[key] = value;
}

ort::HardwareDeviceType TypeOfDevice(const ort::HardwareDevice* device) { return device->type; }

Status* CountNodes(const ort::Graph* graph, std::size_t* out) {
  return Done([&] { *out = graph->nodes.size(); });
}

Status* GetNodes(const ort::Graph* graph, const ort::Node** out, std::size_t count) {
  return Done([&] {
    for (std::size_t i = 0; i < count; ++i) out[i] = graph->nodes.at(i);
  });
}

Status* GetOperator(const ort::Node* node, const char** out) {
  return Done([&] { *out = node->name.c_str(); });
}

Status* GetDomain(const ort::Node* node, const char** out) {
  return Done([&] { *out = node->domain.c_str(); });
}

Status* GetVersion(const ort::Node* node, int* out) {
  return Done([&] { *out = node->since_version; });
}

Status* CountInputs(const ort::Node* node, std::size_t* out) {
  return Done([&] { *out = node->inputs.size(); });
}

Status* GetInputs(const ort::Node* node, const ValueInfo** out, std::size_t count) {
  return Done([&] {
    for (std::size_t i = 0; i < count; ++i) out[i] = node->inputs.at(i);
  });
}

Status* GetAttribute(const ort::Node* node, const char* name, const ort::OpAttr** out) {
  return Done([&] {
    const auto found = node->attributes.find(name);
    *out = found == node->attributes.end() ? nullptr : &found->second;
  });
}

bool HasShape(const ort::TensorTypeAndShapeInfo* info) { return info->has_shape; }

// ---- OrtEpApi

Status* MakeDevice(ort::EpFactory*, const ort::HardwareDevice*, const KeyValuePairs*,
                   const KeyValuePairs* options, ort::EpDevice** out) {
  return Done([&] { *out = Made(ort::EpDevice{options->entries}); });
}

Status* Claim(GraphSupportInfo* info, const ort::Node* node) {
  return Done([&] { info->claimed.push_back(node); });
}

Status* MakeRegistry(KernelRegistry** out) {
  return Done([&] { *out = Made(KernelRegistry{}); });
}

Status* AddKernel(KernelRegistry* registry, const KernelDef* definition, ort::KernelCreateFunc make,
                  void* state) {
  return Done([&] { registry->kernels.push_back({*definition, make, state}); });
}

Status* MakeBuilder(KernelDefBuilder** out) {
  return Done([&] { *out = Made(KernelDefBuilder{}); });
}

template <std::string KernelDef::* kMember>
Status* SetText(KernelDefBuilder* builder, const char* text) {
  return Done([&] { builder->definition.*kMember = text; });
}

Status* SetVersions(KernelDefBuilder* builder, int first, int last) {
  return Done([&] {
    builder->definition.first = first;
    builder->definition.last = last;
  });
}

Status* SetType(KernelDefBuilder* builder, const char* name, const ort::DataType* const* types,
                std::size_t count) {
  return Answer([&]() -> Status* {
    if (count != 1) return Fails(ort::kFail, "not one type");
    builder->definition.constraint = name;
    builder->definition.type = types[0]->type;
    return nullptr;
  });
}

Status* SetInPlace(KernelDefBuilder* builder, const int* inputs, const int* outputs,
                   std::size_t count) {
  return Done(
      [&] { builder->definition.in_place = count == 1 && inputs[0] == 0 && outputs[0] == 0; });
}

Status* Build(KernelDefBuilder* builder, KernelDef** out) {
  return Done([&] { *out = Made(builder->definition); });
}

Status* GetDataType(ort::ElementType type, const ort::DataType** out) {
  static std::map<ort::ElementType, ort::DataType> types;
  return Done([&] { *out = &types.emplace(type, ort::DataType{type}).first->second; });
}

// As the runtime does it: by name, domain, version and the type of the first input.
Status* LookUp(GraphSupportInfo* info, const ort::Node* node, const KernelDef** out) {
  return Done([&] {
    *out = nullptr;
    for (const KernelRegistry::Kernel& kernel : info->registry->kernels) {
      const KernelDef& d = kernel.definition;
      if (d.domain == node->domain && d.name == node->name && d.first <= node->since_version &&
          node->since_version <= d.last && d.type == node->inputs.at(0)->type.tensor.type) {
        *out = &d;
      }
    }
  });
}

// Every slot of OrtEpApi.
class EpTable {
 public:
  EpTable() {
    for (auto& slot : slots_) slot = Unexpected;
    Serve(ort::CreateEpDevice, MakeDevice);
    Serve(ort::EpGraphSupportInfo_AddSingleNode, Claim);
    Serve(ort::CreateKernelRegistry, MakeRegistry);
    Serve(ort::ReleaseKernelRegistry, CountRelease<KernelRegistry>);
    Serve(ort::KernelRegistry_AddKernel, AddKernel);
    Serve(ort::CreateKernelDefBuilder, MakeBuilder);
    Serve(ort::ReleaseKernelDefBuilder, CountRelease<KernelDefBuilder>);
    Serve(ort::KernelDefBuilder_SetOperatorType, SetText<&KernelDef::name>);
    Serve(ort::KernelDefBuilder_SetDomain, SetText<&KernelDef::domain>);
    Serve(ort::KernelDefBuilder_SetSinceVersion, SetVersions);
    Serve(ort::KernelDefBuilder_SetExecutionProvider, SetText<&KernelDef::provider>);
    Serve(ort::KernelDefBuilder_AddTypeConstraint, SetType);
    Serve(ort::KernelDefBuilder_AddInputOutputMutableAliases, SetInPlace);
    Serve(ort::KernelDefBuilder_Build, Build);
    Serve(ort::ReleaseKernelDef, CountRelease<KernelDef>);
    Serve(ort::GetTensorDataType, GetDataType);
    Serve(ort::EpGraphSupportInfo_LookUpKernel, LookUp);
  }
  const ort::EpApi* api() const { return reinterpret_cast<const ort::EpApi*>(slots_); }

 private:
  template <int kSlot, class Result, class... Args>
  void Serve(const ort::EpSlot<kSlot, Result(Args...)>&, Result (*function)(Args...)) {
    slots_[kSlot] = reinterpret_cast<void (*)()>(function);
  }

  void (*slots_[50])();
};

const ort::EpApi* ProviderTable() {
  static const EpTable table;
  return table.api();
}

}  // namespace

void Table::ServeProviders() {
  Serve(ort::ReadOpAttr, ReadAttribute);
  Serve(ort::GetValueInfoTypeInfo, GetTypeOfValue);
  Serve(ort::CreateKeyValuePairs, MakePairs);
  Serve(ort::AddKeyValuePair, AddPair);
  Serve(ort::ReleaseKeyValuePairs, CountRelease<KeyValuePairs>);
  Serve(ort::HardwareDevice_Type, TypeOfDevice);
  Serve(ort::GetEpApi, ProviderTable);
  Serve(ort::Graph_GetNumNodes, CountNodes);
  Serve(ort::Graph_GetNodes, GetNodes);
  Serve(ort::Node_GetOperatorType, GetOperator);
  Serve(ort::Node_GetDomain, GetDomain);
  Serve(ort::Node_GetSinceVersion, GetVersion);
  Serve(ort::Node_GetNumInputs, CountInputs);
  Serve(ort::Node_GetInputs, GetInputs);
  Serve(ort::Node_GetAttributeByName, GetAttribute);
  Serve(ort::TensorTypeAndShape_HasShape, HasShape);
}

}  // namespace onnx_acts::fake
