// The slice of ONNX Runtime's C ABI that a plugin execution provider meets, declared by hand like
// ort_abi.h. All of it is there since API 24 (ONNX Runtime 1.24), which brought kernel registries.
#ifndef ONNX_ACTS_EP_ABI_H_
#define ONNX_ACTS_EP_ABI_H_

#include "ort/ort_abi.h"

namespace onnx_acts::ort {

constexpr uint32_t kProviderVersion = 24;

// Opaque types.
struct DataTransfer;
struct DataType;
struct EpDevice;
struct Graph;
struct GraphSupportInfo;
struct HardwareDevice;
struct KernelDef;
struct KernelDefBuilder;
struct KernelRegistry;
struct KeyValuePairs;
struct Logger;
struct MemoryInfo;
struct Node;
struct OpAttr;
struct SyncStream;
struct ValueInfo;

struct Ep;
struct KernelImpl;

// The table of what providers call, OrtEpApi.
struct EpApi {
  void (*slots[1])();
};
template <int kSlotNumber, class Signature>
using EpSlot = Slot<kSlotNumber, Signature, EpApi>;

enum HardwareDeviceType : int { kCpuDevice = 0 };
enum OpAttrType : int { kFloatAttribute = 3 };

// Further slots of OrtApi. KernelCreateFunc: (state, info, the kernel that is made).
using KernelCreateFunc = Status* (*)(void*, const KernelInfo*, KernelImpl**);

constexpr Slot<272, Status*(const OpAttr*, OpAttrType, void*, std::size_t, std::size_t*)>
    ReadOpAttr;
constexpr Slot<290, Status*(const ValueInfo*, const TypeInfo**)> GetValueInfoTypeInfo;
constexpr Slot<295, void(KeyValuePairs**)> CreateKeyValuePairs;
constexpr Slot<296, void(KeyValuePairs*, const char*, const char*)> AddKeyValuePair;
constexpr Slot<300, void(KeyValuePairs*)> ReleaseKeyValuePairs;
constexpr Slot<307, HardwareDeviceType(const HardwareDevice*)> HardwareDevice_Type;
constexpr Slot<317, const EpApi*()> GetEpApi;
constexpr Slot<344, Status*(const Graph*, std::size_t*)> Graph_GetNumNodes;
constexpr Slot<345, Status*(const Graph*, const Node**, std::size_t)> Graph_GetNodes;
constexpr Slot<350, Status*(const Node*, const char**)> Node_GetOperatorType;
constexpr Slot<351, Status*(const Node*, const char**)> Node_GetDomain;
constexpr Slot<352, Status*(const Node*, int*)> Node_GetSinceVersion;
constexpr Slot<353, Status*(const Node*, std::size_t*)> Node_GetNumInputs;
constexpr Slot<354, Status*(const Node*, const ValueInfo**, std::size_t)> Node_GetInputs;
constexpr Slot<361, Status*(const Node*, const char*, const OpAttr**)> Node_GetAttributeByName;
constexpr Slot<390, bool(const TensorTypeAndShapeInfo*)> TensorTypeAndShape_HasShape;

// OrtEpApi.
constexpr EpSlot<0, Status*(struct EpFactory*, const HardwareDevice*, const KeyValuePairs*,
                            const KeyValuePairs*, EpDevice**)>
    CreateEpDevice;
constexpr EpSlot<3, Status*(GraphSupportInfo*, const Node*)> EpGraphSupportInfo_AddSingleNode;
constexpr EpSlot<18, Status*(KernelRegistry**)> CreateKernelRegistry;
constexpr EpSlot<19, void(KernelRegistry*)> ReleaseKernelRegistry;
constexpr EpSlot<20, Status*(KernelRegistry*, const KernelDef*, KernelCreateFunc, void*)>
    KernelRegistry_AddKernel;
constexpr EpSlot<21, Status*(KernelDefBuilder**)> CreateKernelDefBuilder;
constexpr EpSlot<22, void(KernelDefBuilder*)> ReleaseKernelDefBuilder;
constexpr EpSlot<23, Status*(KernelDefBuilder*, const char*)> KernelDefBuilder_SetOperatorType;
constexpr EpSlot<24, Status*(KernelDefBuilder*, const char*)> KernelDefBuilder_SetDomain;
constexpr EpSlot<25, Status*(KernelDefBuilder*, int, int)> KernelDefBuilder_SetSinceVersion;
constexpr EpSlot<26, Status*(KernelDefBuilder*, const char*)> KernelDefBuilder_SetExecutionProvider;
constexpr EpSlot<29, Status*(KernelDefBuilder*, const char*, const DataType* const*, std::size_t)>
    KernelDefBuilder_AddTypeConstraint;
constexpr EpSlot<31, Status*(KernelDefBuilder*, const int*, const int*, std::size_t)>
    KernelDefBuilder_AddInputOutputMutableAliases;
constexpr EpSlot<32, Status*(KernelDefBuilder*, KernelDef**)> KernelDefBuilder_Build;
constexpr EpSlot<33, void(KernelDef*)> ReleaseKernelDef;
constexpr EpSlot<40, Status*(ElementType, const DataType**)> GetTensorDataType;
constexpr EpSlot<41, Status*(GraphSupportInfo*, const Node*, const KernelDef**)>
    EpGraphSupportInfo_LookUpKernel;

// Makes providers. Members that this library leaves null are declared as plain function pointers.
struct EpFactory {
  uint32_t version;
  const char* (*GetName)(const EpFactory*);
  const char* (*GetVendor)(const EpFactory*);
  Status* (*GetSupportedDevices)(EpFactory*, const HardwareDevice* const*, std::size_t, EpDevice**,
                                 std::size_t, std::size_t*);
  Status* (*CreateEp)(EpFactory*, const HardwareDevice* const*, const KeyValuePairs* const*,
                      std::size_t, const SessionOptions*, const Logger*, Ep**);
  void (*ReleaseEp)(EpFactory*, Ep*);
  uint32_t (*GetVendorId)(const EpFactory*);
  const char* (*GetVersion)(const EpFactory*);
  void (*ValidateCompiledModelCompatibilityInfo)();
  Status* (*CreateAllocator)(EpFactory*, const MemoryInfo*, const KeyValuePairs*, Allocator**);
  void (*ReleaseAllocator)(EpFactory*, Allocator*);
  Status* (*CreateDataTransfer)(EpFactory*, DataTransfer**);
  bool (*IsStreamAware)(const EpFactory*);
  void (*CreateSyncStreamForDevice)();
  void (*GetHardwareDeviceIncompatibilityDetails)();
  void (*CreateExternalResourceImporterForDevice)();
  Status* (*GetNumCustomOpDomains)(EpFactory*, std::size_t*);
  Status* (*GetCustomOpDomains)(EpFactory*, CustomOpDomain**, std::size_t);
};

// The provider of one session.
struct Ep {
  uint32_t version;
  const char* (*GetName)(const Ep*);
  Status* (*GetCapability)(Ep*, const Graph*, GraphSupportInfo*);
  void (*Compile)();
  void (*ReleaseNodeComputeInfos)();
  void (*GetPreferredDataLayout)();
  void (*ShouldConvertDataLayoutForOp)();
  void (*SetDynamicOptions)();
  void (*OnRunStart)();
  void (*OnRunEnd)();
  void (*CreateAllocator)();
  void (*CreateSyncStreamForDevice)();
  void (*GetCompiledModelCompatibilityInfo)();
  Status* (*GetKernelRegistry)(Ep*, const KernelRegistry**);
  void (*IsConcurrentRunSupported)();
};

// The kernel of one node.
struct KernelImpl {
  uint32_t version;
  Status* (*Compute)(KernelImpl*, KernelContext*);
  void (*Release)(KernelImpl*);
  void (*PrePackWeight)();
  void (*SetSharedPrePackedWeight)();
};

static_assert(sizeof(EpFactory) == 144, "layout of OrtEpFactory");
static_assert(sizeof(Ep) == 120, "layout of OrtEp");
static_assert(sizeof(KernelImpl) == 40, "layout of OrtKernelImpl");

}  // namespace onnx_acts::ort

#endif  // ONNX_ACTS_EP_ABI_H_
