// The execution provider on a runtime of the tests' own: what it claims, and every allocation and
// every call of the runtime failing in turn.

#include <cmath>
#include <limits>

#include "fakes/cases.h"
#include "fakes/failing.h"
#include "fakes/fake_ep.h"
#include "fakes/fake_node.h"
#include "library/domain.h"
#include "provider/claims.h"

namespace onnx_acts::fake {
namespace {

using Newest = Runtime<24>;
constexpr char kName[] = "OnnxActsExecutionProvider";
constexpr char kOption[] = "ep.onnxactsexecutionprovider.claim";

ort::Status* MakeFactory(ort::EpFactory** factory) {
  std::size_t count = 0;
  ort::Status* const status =
      CreateEpFactories("a name", &Newest::kBase, nullptr, factory, 4, &count);
  CHECK((status == nullptr) == (count == 1), "%zu factories", count);
  return status;
}

// A factory, or the provider of one session, for the length of a scope.
class Registered {
 public:
  Registered() { CheckOk(MakeFactory(&factory_), "the factory"); }
  ~Registered() { CheckOk(ReleaseEpFactory(factory_), "its release"); }
  Registered(const Registered&) = delete;
  Registered& operator=(const Registered&) = delete;

  ort::EpFactory* operator->() const { return factory_; }
  ort::EpFactory* get() const { return factory_; }

 private:
  ort::EpFactory* factory_ = nullptr;
};

ort::Status* MakeProvider(const Registered& factory, const ort::SessionOptions& options,
                          ort::Ep** provider) {
  return factory->CreateEp(factory.get(), nullptr, nullptr, 0, &options, nullptr, provider);
}

class Provided {
 public:
  explicit Provided(const char* claim = nullptr) {
    ort::SessionOptions options;
    if (claim != nullptr) options.entries[kOption] = claim;
    CheckOk(MakeProvider(factory_, options, &provider_), "the provider");
    CheckOk(provider_->GetKernelRegistry(provider_, &info.registry), "its kernels");
  }
  ~Provided() { factory_->ReleaseEp(factory_.get(), provider_); }
  Provided(const Provided&) = delete;
  Provided& operator=(const Provided&) = delete;

  bool Claims(const ort::Node& node) {
    info.claimed.clear();
    const ort::Graph graph = {{&node}};
    CheckOk(provider_->GetCapability(provider_, &graph, &info), "the claims");
    return !info.claimed.empty();
  }
  ort::Ep* get() const { return provider_; }

  ort::GraphSupportInfo info;

 private:
  Registered factory_;
  ort::Ep* provider_ = nullptr;
};

// A node with its inputs.
struct TestNode {
  explicit TestNode(const char* name, ort::ElementType type = ort::kFloat) {
    node.name = name;
    x.type.tensor = {type, {2, 3, 4}};
    slope.type.tensor = {type, {3, 1}};
    node.inputs = {&x};
    if (std::string(name) == "PRelu") node.inputs.push_back(&slope);
  }
  TestNode(const TestNode&) = delete;
  TestNode& operator=(const TestNode&) = delete;

  ort::ValueInfo x, slope;
  ort::Node node;
};

// ---- What is claimed

TEST(Table, "the kernels are those of the table: operators, types, versions, in place") {
  const Provided provided;
  CHECK(provided.info.registry->kernels.size() >= 16, "too few kernels");
  for (const auto& kernel : provided.info.registry->kernels) {
    const ort::KernelDef& d = kernel.definition;
    CHECK(d.domain.empty() && d.provider == kName && d.constraint == "T" && d.in_place, "%s",
          d.name.c_str());
    const bool late = d.name == "Elu" && d.type == ort::kBFloat16;
    if (d.name == "Elu") CHECK(d.first == (late ? 22 : 1), "Elu since %d", d.first);
    CHECK(d.last >= 25 && d.last < 1000, "%s until %d", d.name.c_str(), d.last);
  }
}

TEST(Types, "PRelu and Elu are claimed in four types, the others where the CPU has no kernel") {
  Provided some, all("all"), same("default");
  const struct {
    const char* name;
    bool float16, bfloat16, float32, float64;
  } rows[] = {{"PRelu", true, true, true, true},
              {"Elu", true, true, true, true},
              {"LeakyRelu", false, true, false, true},
              {"Relu", false, true, false, false}};
  for (const auto& row : rows) {
    const std::pair<ort::ElementType, bool> types[] = {{ort::kFloat16, row.float16},
                                                       {ort::kBFloat16, row.bfloat16},
                                                       {ort::kFloat, row.float32},
                                                       {ort::kDouble, row.float64}};
    for (const auto& [type, expected] : types) {
      TestNode test(row.name, type);
      test.node.since_version = 22;
      CHECK(some.Claims(test.node) == expected, "%s of type %d", row.name, type);
      CHECK(same.Claims(test.node) == expected, "%s of type %d", row.name, type);
      CHECK(all.Claims(test.node), "%s of type %d, claiming all", row.name, type);
    }
    TestNode integer(row.name, static_cast<ort::ElementType>(6));  // int32
    CHECK(!all.Claims(integer.node), "%s of integers", row.name);
  }
}

TEST(Nodes, "other operators, other domains and other versions are left alone") {
  Provided all("all");
  CHECK(!all.Claims(TestNode("Tanh").node), "Tanh");
  CHECK(!all.Claims(TestNode("PRelux").node), "PRelux");
  CHECK(!all.Claims(TestNode("PRel").node), "PRel");
  TestNode foreign("Elu");
  foreign.node.domain = "com.example";
  CHECK(!all.Claims(foreign.node), "Elu of another domain");
  CHECK(!IsClaimed(Newest::Api(), &foreign.node, true), "before any kernel is looked up");
  TestNode future("Elu");
  future.node.since_version = 1000;
  CHECK(!all.Claims(future.node), "Elu of an opset to come");
  TestNode sequence("Elu");
  sequence.x.type.is_tensor = false;
  CHECK(!all.Claims(sequence.node), "Elu of no tensor");
  sequence.node.inputs = {nullptr};
  CHECK(!all.Claims(sequence.node), "Elu without x");
  sequence.node.inputs = {};
  CHECK(!all.Claims(sequence.node), "Elu without inputs");
}

using Names = std::vector<std::string>;

TEST(Slopes, "a PRelu is claimed whose slope certainly fits x, and no other") {
  const struct {
    Sizes x;
    Names x_names;
    Sizes slope;
    Names slope_names;
    bool expected;
  } rows[] = {
      {{2, 3, 4}, {}, {3, 1}, {}, true},
      {{2, 3, 4}, {}, {}, {}, true},
      {{2, 3, 4}, {}, {1, 1, 1}, {}, true},
      {{2, 3, 4}, {}, {2, 3, 4}, {}, true},
      {{2, 3, 4}, {}, {1, 1, 1, 1}, {}, false},  // one more dimension
      {{2, 3, 4}, {}, {3}, {}, false},
      {{2, 1, 4}, {}, {3, 1}, {}, false},  // would enlarge x
      {{2, -1, 4}, {}, {3, 1}, {}, false},
      {{2, -1, 4}, {"", "C"}, {3, 1}, {}, false},
      {{2, -1, 4}, {"", "C"}, {-1, 1}, {"C"}, true},
      {{2, -1, 4}, {"", "C"}, {-1, 1}, {"D"}, false},
      {{2, -1, 4}, {}, {-1, 1}, {}, false},  // two sizes of which nothing is known
      {{-1, 3, -1}, {"N", "", "L"}, {3, 1}, {}, true},
      {{0, 3, 4}, {}, {3, 1}, {}, true},
      {{}, {}, {1}, {}, false},
  };
  Provided provided;
  for (const auto& row : rows) {
    TestNode test("PRelu");
    test.x.type.tensor = {ort::kFloat, row.x, row.x_names};
    test.slope.type.tensor = {ort::kFloat, row.slope, row.slope_names};
    CHECK(provided.Claims(test.node) == row.expected, "x %s, slope %s", Text(row.x).c_str(),
          Text(row.slope).c_str());
  }
}

TEST(UnknownSlopes, "nor one of whose shapes nothing is known, unless it is a single number") {
  Provided provided;
  TestNode test("PRelu");
  test.x.type.tensor = {ort::kFloat, {}, {}, false};
  CHECK(!provided.Claims(test.node), "x of unknown rank");
  test.slope.type.tensor.sizes = {};
  CHECK(provided.Claims(test.node), "x of unknown rank, a scalar slope");
  test.slope.type.tensor.has_shape = false;
  CHECK(!provided.Claims(test.node), "a slope of unknown rank");
  test.node.inputs[1] = nullptr;
  CHECK(!provided.Claims(test.node), "no slope");
  test.node.inputs.pop_back();
  CHECK(!provided.Claims(test.node), "no second input");
}

TEST(OldSlopes, "before version 7 slopes belong to channels: only a single one is claimed") {
  Provided provided;
  TestNode test("PRelu");
  test.x.type.tensor.sizes = {2, 4, 4};
  test.slope.type.tensor.sizes = {4};
  for (const int version : {1, 6, 7}) {
    test.node.since_version = version;
    CHECK(provided.Claims(test.node) == (version == 7), "version %d", version);
  }
  test.node.since_version = 6;
  test.slope.type.tensor.sizes = {1};
  CHECK(provided.Claims(test.node), "a single slope");
}

TEST(Ranges, "an attribute outside its range is left to the CPU provider") {
  TestNode test("Celu");
  const auto fits = [&](Range range) {
    const AttributeSpec spec = {"alpha", AttributeKind::kReal, 1.0, 0, range, -1};
    return AttributeFits(Newest::Api(), &test.node, spec);
  };
  CHECK(fits(Range::kAny) && fits(Range::kFinite) && fits(Range::kPositive), "the default");
  const float infinity = std::numeric_limits<float>::infinity();
  const struct {
    float value;
    bool finite, positive;
  } rows[] = {{2, true, true},
              {0, true, false},
              {-1, true, false},
              {infinity, false, false},
              {std::nanf(""), false, false}};
  for (const auto& row : rows) {
    test.node.attributes["alpha"] = {row.value};
    CHECK(fits(Range::kAny), "any: %g", double{row.value});
    CHECK(fits(Range::kFinite) == row.finite, "finite: %g", double{row.value});
    CHECK(fits(Range::kPositive) == row.positive, "positive: %g", double{row.value});
  }
}

// ---- Failures

TEST(Factories, "a registration that fails leaves nothing behind") {
  CheckOk(RegisterOnce<Newest>(), "the domain, which is made once and kept");
  FailEach("a factory", [] {
    ort::EpFactory* factory = nullptr;
    ort::Status* const status = MakeFactory(&factory);
    if (status == nullptr) CheckOk(ReleaseEpFactory(factory), "its release");
    return status;
  });
  ort::EpFactory* none = nullptr;
  std::size_t count = 7;
  FailEach("no room",
           [&] { return CreateEpFactories("a name", &Newest::kBase, nullptr, &none, 0, &count); },
           {"no room for a provider"});
  CHECK(count == 0, "%zu factories without room", count);
  FailEach(
      "an old runtime",
      [&] { return CreateEpFactories("a name", &Runtime<23>::kBase, nullptr, &none, 4, &count); },
      {"needs ONNX Runtime 1.24 or newer, this is ONNX Runtime 1.23.0"});
  FailEach("an older one", [&] {
    return CreateEpFactories("a name", &Runtime<16>::kBase, nullptr, &none, 4, &count);
  });
  CHECK(count == 0, "%zu factories of old runtimes", count);
}

TEST(Identity, "the factory says who it is, and takes the memory of the CPU") {
  const Registered factory;
  ort::EpFactory* const self = factory.get();
  CHECK(self->version == 24 && std::string(self->GetName(self)) == kName, "name");
  CHECK(std::string(self->GetVendor(self)) == "onnx_acts" && self->GetVendorId(self) == 0,
        "vendor");
  CHECK(std::string(self->GetVersion(self)) == kLibraryVersion, "version");
  CHECK(!self->IsStreamAware(self), "streams");
  auto* allocator = reinterpret_cast<ort::Allocator*>(self);
  CheckOk(self->CreateAllocator(self, nullptr, nullptr, &allocator), "allocator");
  auto* transfer = reinterpret_cast<ort::DataTransfer*>(self);
  CheckOk(self->CreateDataTransfer(self, &transfer), "transfer");
  CHECK(allocator == nullptr && transfer == nullptr, "memory of its own");
  self->ReleaseAllocator(self, nullptr);
}

TEST(Domain, "the custom operators come with it, and are not added a second time") {
  const Registered factory;
  std::size_t count = 0;
  CheckOk(factory->GetNumCustomOpDomains(factory.get(), &count), "count");
  ort::CustomOpDomain* domain = nullptr;
  CheckOk(factory->GetCustomOpDomains(factory.get(), &domain, count), "domains");
  CHECK(count == 1 && domain->ops == AllOps<Newest>(), "another domain");
  ort::SessionOptions options;
  options.entries[kDomainFromProvider] = "onnx_acts";
  CheckOk(RegisterCustomOps(&options, &Newest::kBase), "registration");
  CHECK(options.domains.empty(), "the domain was added twice");
}

TEST(Devices, "it runs on the first CPU, with the mark in its options") {
  const Registered factory;
  const ort::HardwareDevice gpu = {static_cast<ort::HardwareDeviceType>(1)}, cpu = {};
  const ort::HardwareDevice* const devices[] = {&gpu, &cpu, &cpu};
  const auto find = [&](std::size_t count, std::size_t room, std::size_t* found) {
    ort::EpDevice* device = nullptr;
    ort::Status* const status =
        factory->GetSupportedDevices(factory.get(), devices, count, &device, room, found);
    const Inside scope;
    if (device == nullptr) return status;
    const bool marked = device->options["domain"] == "onnx_acts";
    CHECK(marked, "no mark");
    --events.live;  // it belongs to the runtime
    delete device;
    return status;
  };
  std::size_t found = 7;
  FailEach("devices", [&] { return find(3, 8, &found); });
  CHECK(found == 1, "%zu devices", found);
  FailEach("no CPU", [&] { return find(1, 8, &found); });
  CHECK(found == 0, "%zu devices without a CPU", found);
  FailEach("no room", [&] { return find(3, 0, &found); });
  CHECK(found == 0, "%zu devices without room", found);
}

TEST(Options, "a session whose option is unknown is refused in words") {
  const Registered factory;
  const std::pair<const char*, const char*> rows[] = {
      {nullptr, ""},
      {"all", ""},
      {"default", ""},
      {"some", "option claim is 'some'; expected 'default' or 'all'"}};
  for (const auto& [value, expected] : rows) {
    ort::SessionOptions options;
    if (value != nullptr) options.entries[kOption] = value;
    const auto make = [&] {
      ort::Ep* provider = nullptr;
      ort::Status* const status = MakeProvider(factory, options, &provider);
      if (provider != nullptr) factory->ReleaseEp(factory.get(), provider);
      return status;
    };
    FailEach("a provider", make, {expected});
  }
}

TEST(Claiming, "claims that fail leave nothing behind") {
  Provided provided("all");
  TestNode prelu("PRelu"), elu("Elu"), other("Conv");
  prelu.x.type.tensor.sizes = Sizes(20, 2);
  prelu.slope.type.tensor.sizes = Sizes(20, 1);
  const ort::Graph graph = {{&prelu.node, &other.node, &elu.node}};
  FailEach("claims", [&] {
    provided.info.claimed.clear();
    return provided.get()->GetCapability(provided.get(), &graph, &provided.info);
  });
  CHECK(provided.info.claimed.size() == 2, "%zu claims", provided.info.claimed.size());
}

ort::KernelInfo Info() {
  ort::KernelInfo info;
  info.name = "a name that no short string holds";
  info.inputs = {{{ort::kFloat, {-1, 3, 4}}}, {{ort::kFloat, {3, 1}}}};
  return info;
}

TEST(Kernels, "a kernel that fails while it is made or computes leaves nothing behind") {
  const Provided provided;
  for (const auto& entry : provided.info.registry->kernels) {
    const std::string what = entry.definition.name;
    const ort::KernelInfo info = Info();
    const auto make = [&](ort::KernelImpl** kernel) {
      return entry.make(entry.state, &info, kernel);
    };
    FailEach(what + " made", [&] {
      ort::KernelImpl* kernel = nullptr;
      ort::Status* const status = make(&kernel);
      if (kernel != nullptr) kernel->Release(kernel);
      return status;
    });
    ort::KernelImpl* kernel = nullptr;
    CheckOk(make(&kernel), what);
    FakeCall call;
    call.AddInput(entry.definition.type, {2, 3, 4});
    call.AddInput(entry.definition.type, {3, 1});
    call.AddOutput(entry.definition.type, {2, 3, 4});
    FailEach(what + " run", [&] { return kernel->Compute(kernel, &call.context); });
    kernel->Release(kernel);
  }
}

TEST(Messages, "a kernel names the standard operator in its messages") {
  const Provided provided;
  ort::KernelInfo info = Info();
  info.inputs[1].tensor.sizes = {2, 1};
  for (const auto& entry : provided.info.registry->kernels) {
    if (entry.definition.name != "PRelu") continue;
    ort::KernelImpl* kernel = nullptr;
    const std::string message = Take(entry.make(entry.state, &info, &kernel));
    CHECK(message.find("PRelu (node 'a name") == 0, "'%s'", message.c_str());
  }
}

}  // namespace
}  // namespace onnx_acts::fake

int main(int count, char** arguments) {
  const int status = RunTests(count, arguments);
  std::printf("%ld failures put in\n", onnx_acts::fake::PutIn());
  return status;
}
