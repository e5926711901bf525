#include "provider/kernels.h"

#include <memory>

#include "cpu/cpu_node.h"
#include "ort/status.h"

namespace onnx_acts {
namespace {

// A node of a session.
struct Kernel : ort::KernelImpl {
  Kernel(const KernelSource& source, const ort::KernelInfo* info)
      : ort::KernelImpl{}, node(*source.claim->op, source.claim->element, source.api, info) {
    version = ort::kProviderVersion;
    Compute = ComputeNode;
    Release = Delete;
  }

  static ort::Status* ComputeNode(ort::KernelImpl* self, ort::KernelContext* context) {
    const CpuNode& node = static_cast<const Kernel*>(self)->node;
    return Guarded(node.api(), [&] { node.Compute(context); });
  }
  static void Delete(ort::KernelImpl* self) { delete static_cast<Kernel*>(self); }

  CpuNode node;
};

ort::Status* MakeKernel(void* state, const ort::KernelInfo* info, ort::KernelImpl** kernel) {
  const KernelSource& source = *static_cast<const KernelSource*>(state);
  return Guarded(source.api, [&] { *kernel = new Kernel(source, info); });
}

// Builders and definitions belong to us until they are released.
class Builder {
 public:
  explicit Builder(const ort::EpApi* api) : api_(api) {
    Check(ort::CreateKernelDefBuilder(api, &builder_));
  }
  ~Builder() {
    ort::ReleaseKernelDefBuilder(api_, builder_);
    if (definition_ != nullptr) ort::ReleaseKernelDef(api_, definition_);
  }
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;

  const ort::KernelDef* Build(const Claim& claim) {
    Check(ort::KernelDefBuilder_SetOperatorType(api_, builder_, claim.op->name));
    Check(ort::KernelDefBuilder_SetDomain(api_, builder_, claim.op->domain));
    Check(
        ort::KernelDefBuilder_SetSinceVersion(api_, builder_, claim.first_opset, claim.last_opset));
    Check(ort::KernelDefBuilder_SetExecutionProvider(api_, builder_, kProviderName));
    AddType(claim.element);
    AllowInPlace();
    Check(ort::KernelDefBuilder_Build(api_, builder_, &definition_));
    return definition_;
  }

 private:
  // X, Y and the slope have one type, which all of these operators call T.
  void AddType(Element element) {
    const ort::DataType* type = nullptr;  // the runtime keeps it
    const auto number = static_cast<ort::ElementType>(SpecOf(element).onnx_type);
    Check(ort::GetTensorDataType(api_, number, &type));
    Check(ort::KernelDefBuilder_AddTypeConstraint(api_, builder_, "T", &type, 1));
  }

  // Y may overwrite X: element by element, nothing is read after it is written.
  void AllowInPlace() {
    const int first = 0;
    Check(ort::KernelDefBuilder_AddInputOutputMutableAliases(api_, builder_, &first, &first, 1));
  }

  const ort::EpApi* api_;
  ort::KernelDefBuilder* builder_ = nullptr;
  ort::KernelDef* definition_ = nullptr;
};

}  // namespace

Kernels::Kernels(const ort::Api* api, const ort::EpApi* ep_api) : ep_api_(ep_api) {
  Check(ort::CreateKernelRegistry(ep_api, &registry_));
  try {
    for (std::size_t i = 0; i < kClaimCount; ++i) {
      sources_[i] = {api, &kClaims[i]};
      Add(&sources_[i]);
    }
  } catch (...) {
    ort::ReleaseKernelRegistry(ep_api, registry_);
    throw;
  }
}

Kernels::~Kernels() { ort::ReleaseKernelRegistry(ep_api_, registry_); }

void Kernels::Add(KernelSource* source) {
  Builder builder(ep_api_);
  const ort::KernelDef* const definition = builder.Build(*source->claim);
  Check(ort::KernelRegistry_AddKernel(ep_api_, registry_, definition, MakeKernel, source));
}

}  // namespace onnx_acts
