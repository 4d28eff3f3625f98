#include "generate/export/onnx_file.h"

#include <onnx/onnx.pb.h>

#include <string>
#include <vector>

#include "generate/export/appended_class.h"
#include "storage/files.h"

namespace gan::exporting {

namespace {

// The versions of ONNX 1.10 (2021), which have all nodes that are used here. More programs read old versions than new
// ones.
constexpr std::int64_t kIrVersion = 8;
constexpr std::int64_t kOpset = 15;

void Describe(const std::string& name, const std::vector<std::int64_t>& shape, onnx::TensorProto::DataType type,
              onnx::ValueInfoProto* value) {
  value->set_name(name);
  auto* tensor = value->mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(type);
  // A named dimension is free: any number of images at once.
  tensor->mutable_shape()->add_dim()->set_dim_param("N");
  for (const std::int64_t extent : shape) tensor->mutable_shape()->add_dim()->set_dim_value(extent);
}

void AddInts(const std::string& name, const std::vector<std::int64_t>& values, onnx::NodeProto* node) {
  auto* attribute = node->add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::INTS);
  for (const std::int64_t value : values) attribute->add_ints(value);
}

void AddInt(const std::string& name, std::int64_t value, onnx::NodeProto* node) {
  auto* attribute = node->add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::INT);
  attribute->set_i(value);
}

// Builds the chain of nodes; each takes the output of the one before it.
class GraphBuilder {
 public:
  explicit GraphBuilder(onnx::GraphProto* graph) : graph_(graph) {}

  onnx::NodeProto* Node(const std::string& kind, const std::string& output) {
    onnx::NodeProto* node = NodeWithoutInputs(kind, output);
    node->add_input(last_);
    last_ = output;
    return node;
  }

  // raw_data is little-endian in ONNX, as memory is on all supported machines.
  void Parameter(onnx::NodeProto* node, const std::string& name, const std::vector<std::int64_t>& shape,
                 const std::vector<float>& values) {
    AddInitializer(name, shape, onnx::TensorProto::FLOAT)->set_raw_data(values.data(), values.size() * sizeof(float));
    node->add_input(name);
  }

  // Appends the rows of "class" [N] in the table to the latents: [N, inputs, 1, 1].
  void JoinClasses(const generate::ClassTable& classes) {
    onnx::NodeProto* gather = NodeWithoutInputs("Gather", "class_rows");
    Parameter(gather, "class_embedding.weight",
              {static_cast<std::int64_t>(classes.names.size()), static_cast<std::int64_t>(classes.width)},
              classes.embedding);
    gather->add_input("class");
    AddInt("axis", 0, gather);
    // Since opset 13 Unsqueeze takes its axes as an input and no longer as an attribute.
    const std::vector<std::int64_t> axes = {2, 3};
    AddInitializer("class_axes", {2}, onnx::TensorProto::INT64)
        ->set_raw_data(axes.data(), axes.size() * sizeof axes[0]);
    onnx::NodeProto* unsqueeze = NodeWithoutInputs("Unsqueeze", "class_maps");
    unsqueeze->add_input("class_rows");
    unsqueeze->add_input("class_axes");
    onnx::NodeProto* join = Node("Concat", "inputs");
    join->add_input("class_maps");
    AddInt("axis", 1, join);
  }

 private:
  onnx::NodeProto* NodeWithoutInputs(const std::string& kind, const std::string& output) {
    onnx::NodeProto* node = graph_->add_node();
    node->set_op_type(kind);
    node->set_name(output);
    node->add_output(output);
    return node;
  }

  onnx::TensorProto* AddInitializer(const std::string& name, const std::vector<std::int64_t>& shape,
                                    onnx::TensorProto::DataType type) {
    onnx::TensorProto* tensor = graph_->add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(type);
    for (const std::int64_t extent : shape) tensor->add_dims(extent);
    return tensor;
  }

  onnx::GraphProto* graph_;
  std::string last_ = "latent";
};

// With one class, the class is appended to the latents by the same convolution as in an exported folder.
void AddClasses(const generate::Generator& generator, GraphBuilder& graph) {
  const AppendedClass appended = AppendedClassOf(generator);
  if (appended.bias.empty()) return graph.JoinClasses(*generator.classes);
  onnx::NodeProto* node = graph.Node("Conv", "inputs");
  const auto in = static_cast<std::int64_t>(generator.inputs());
  graph.Parameter(node, "class.weight", {in, static_cast<std::int64_t>(generator.noise_dim()), 1, 1}, appended.weight);
  graph.Parameter(node, "class.bias", {in}, appended.bias);
}

void AddConvolution(const generate::Layer& layer, std::size_t place, GraphBuilder& graph) {
  onnx::NodeProto* node = graph.Node("ConvTranspose", "layer" + std::to_string(place));
  graph.Parameter(node, std::to_string(place) + ".weight",
                  {static_cast<std::int64_t>(layer.in), static_cast<std::int64_t>(layer.out), 4, 4}, layer.weight);
  if (!layer.bias.empty()) {
    graph.Parameter(node, std::to_string(place) + ".bias", {static_cast<std::int64_t>(layer.out)}, layer.bias);
  }
  const bool first = place == 0;
  AddInts("kernel_shape", {4, 4}, node);
  AddInts("strides", first ? std::vector<std::int64_t>{1, 1} : std::vector<std::int64_t>{2, 2}, node);
  AddInts("pads", std::vector<std::int64_t>(4, first ? 0 : 1), node);
}

void AddNorm(const generate::BatchNorm& norm, std::size_t place, GraphBuilder& graph) {
  onnx::NodeProto* node = graph.Node("BatchNormalization", "layer" + std::to_string(place));
  const std::string prefix = std::to_string(place) + ".";
  const std::vector<std::int64_t> shape = {static_cast<std::int64_t>(norm.scale.size())};
  graph.Parameter(node, prefix + "weight", shape, norm.scale);
  graph.Parameter(node, prefix + "bias", shape, norm.shift);
  graph.Parameter(node, prefix + "running_mean", shape, norm.mean);
  graph.Parameter(node, prefix + "running_var", shape, norm.variance);
  auto* epsilon = node->add_attribute();
  epsilon->set_name("epsilon");
  epsilon->set_type(onnx::AttributeProto::FLOAT);
  epsilon->set_f(static_cast<float>(generate::kBatchNormEpsilon));
}

}  // namespace

void WriteOnnx(const std::filesystem::path& file, const generate::TrainedGenerator& trained) {
  const generate::Generator& generator = trained.generator;
  onnx::ModelProto model;
  model.set_ir_version(kIrVersion);
  model.set_producer_name("equipoise");
  model.add_opset_import()->set_version(kOpset);
  model.mutable_graph()->set_name("generator");
  const auto side = static_cast<std::int64_t>(generator.side());
  const std::int64_t noise_dim = static_cast<std::int64_t>(generator.noise_dim());
  Describe("latent", {noise_dim, 1, 1}, onnx::TensorProto::FLOAT, model.mutable_graph()->add_input());
  if (generator.classes && generator.classes->names.size() > 1) {
    Describe("class", {}, onnx::TensorProto::INT64, model.mutable_graph()->add_input());
  }
  Describe("images", {3, side, side}, onnx::TensorProto::FLOAT, model.mutable_graph()->add_output());
  GraphBuilder graph(model.mutable_graph());
  if (generator.classes) AddClasses(generator, graph);
  for (std::size_t i = 0; i < generator.layers.size(); ++i) {
    const generate::Layer& layer = generator.layers[i];
    const std::size_t place = generate::PlaceOf(i);
    AddConvolution(layer, place, graph);
    if (!layer.norm) continue;
    AddNorm(*layer.norm, place + 1, graph);
    graph.Node("Relu", "layer" + std::to_string(place + 2));
  }
  graph.Node("Tanh", "images");
  storage::WriteFileAtomically(file, model.SerializeAsString());
}

}  // namespace gan::exporting
