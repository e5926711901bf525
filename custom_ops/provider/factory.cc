// The entry points that bring the execution provider, and what makes it.

#include <memory>
#include <string>

#include "cpu/isa.h"
#include "library/domain.h"
#include "library/export.h"
#include "ort/status.h"
#include "provider/kernels.h"
#include "provider/provider.h"

namespace onnx_acts {
namespace {

// Of one registration of the library with a runtime.
class Factory : public ort::EpFactory {
 public:
  Factory(const ort::Api* api, ort::CustomOpDomain* domain)
      : ort::EpFactory{},
        api_(api),
        ep_api_(ort::GetEpApi(api)),
        domain_(domain),
        kernels_(api, ep_api_) {
    version = ort::kProviderVersion;
    GetName = [](const ort::EpFactory*) { return kProviderName; };
    GetVendor = [](const ort::EpFactory*) { return kDomain; };
    GetSupportedDevices = Devices;
    CreateEp = Create;
    ReleaseEp = [](ort::EpFactory*, ort::Ep* ep) { delete static_cast<Provider*>(ep); };
    GetVendorId = [](const ort::EpFactory*) { return uint32_t{0}; };
    GetVersion = [](const ort::EpFactory*) { return kLibraryVersion; };
    CreateAllocator = NoAllocator;
    ReleaseAllocator = [](ort::EpFactory*, ort::Allocator*) {};
    CreateDataTransfer = NoDataTransfer;
    IsStreamAware = [](const ort::EpFactory*) { return false; };
    GetNumCustomOpDomains = CountDomains;
    GetCustomOpDomains = Domains;
  }

 private:
  static Factory& Self(ort::EpFactory* self) { return *static_cast<Factory*>(self); }

  static ort::Status* Devices(ort::EpFactory* self, const ort::HardwareDevice* const* devices,
                              std::size_t count, ort::EpDevice** found, std::size_t room,
                              std::size_t* found_count) {
    *found_count = 0;
    return Guarded(Self(self).api_, [&] {
      for (std::size_t i = 0; i < count && *found_count < room; ++i) {
        if (ort::HardwareDevice_Type(Self(self).api_, devices[i]) != ort::kCpuDevice) continue;
        *found = Self(self).MakeDevice(devices[i]);
        *found_count = 1;
        return;
      }
    });
  }

  static ort::Status* Create(ort::EpFactory* self, const ort::HardwareDevice* const*,
                             const ort::KeyValuePairs* const*, std::size_t,
                             const ort::SessionOptions* options, const ort::Logger*, ort::Ep** ep) {
    const Factory& factory = Self(self);
    return Guarded(factory.api_, [&] {
      *ep = new Provider(factory.api_, factory.ep_api_, factory.kernels_, options);
    });
  }

  // Null: tensors lie in the memory of the CPU provider, so nothing is copied.
  static ort::Status* NoAllocator(ort::EpFactory*, const ort::MemoryInfo*,
                                  const ort::KeyValuePairs*, ort::Allocator** allocator) {
    *allocator = nullptr;
    return nullptr;
  }
  static ort::Status* NoDataTransfer(ort::EpFactory*, ort::DataTransfer** transfer) {
    *transfer = nullptr;
    return nullptr;
  }

  static ort::Status* CountDomains(ort::EpFactory*, std::size_t* count) {
    *count = 1;
    return nullptr;
  }
  static ort::Status* Domains(ort::EpFactory* self, ort::CustomOpDomain** domains,
                              std::size_t count) {
    if (count > 0) domains[0] = Self(self).domain_;
    return nullptr;
  }

  // Its option marks session options that have the domain from here: see RegisterCustomOps.
  ort::EpDevice* MakeDevice(const ort::HardwareDevice* device) {
    constexpr std::size_t kPrefix = sizeof "ep.onnxactsexecutionprovider." - 1;
    ort::KeyValuePairs* options = nullptr;
    ort::CreateKeyValuePairs(api_, &options);
    ort::AddKeyValuePair(api_, options, kDomainFromProvider + kPrefix, kDomain);
    ort::EpDevice* made = nullptr;
    ort::Status* const status = ort::CreateEpDevice(ep_api_, this, device, nullptr, options, &made);
    ort::ReleaseKeyValuePairs(api_, options);
    Check(status);
    return made;
  }

  const ort::Api* api_;
  const ort::EpApi* ep_api_;
  ort::CustomOpDomain* domain_;
  Kernels kernels_;
};

// A runtime that has no kernel registries for providers from outside.
ort::Status* RefuseRuntime(const ort::ApiBase* base) {
  const ort::Api* api = base->GetApi(ort::kFloorVersion);
  if (api == nullptr) return nullptr;  // no provider
  return Guarded(api, [&] {
    throw std::runtime_error("onnx_acts " + std::string(kLibraryVersion) + ": " + kProviderName +
                             " needs ONNX Runtime 1." + std::to_string(ort::kProviderVersion) +
                             " or newer, this is ONNX Runtime " + base->GetVersionString() +
                             "; upgrade it, or register the library for custom operators and"
                             " accelerate the model");
  });
}

}  // namespace
}  // namespace onnx_acts

ONNX_ACTS_EXPORT onnx_acts::ort::Status* CreateEpFactories(const char*,
                                                           const onnx_acts::ort::ApiBase* base,
                                                           const onnx_acts::ort::Logger*,
                                                           onnx_acts::ort::EpFactory** factories,
                                                           std::size_t room, std::size_t* count) {
  using namespace onnx_acts;
  *count = 0;
  if (MinorVersion(base) < ort::kProviderVersion) return RefuseRuntime(base);
  const ort::Api* const api = base->GetApi(ort::kProviderVersion);
  if (api == nullptr) return RefuseRuntime(base);
  return Guarded(api, [&] {
    const IsaChoice& isa = ChooseIsa();
    if (isa.loops == nullptr) throw InvalidArgument("onnx_acts: " + isa.error);
    if (room == 0) throw InvalidArgument("onnx_acts: no room for a provider");
    factories[0] = new Factory(api, DomainFor(base, base->GetApi(ort::kFloorVersion)));
    *count = 1;
  });
}

ONNX_ACTS_EXPORT onnx_acts::ort::Status* ReleaseEpFactory(onnx_acts::ort::EpFactory* factory) {
  delete static_cast<onnx_acts::Factory*>(factory);
  return nullptr;
}
