//! Graphs around one QLinearConv of any form, and that convolution written out plainly.
//!
//! All scales are powers of two, so that every rounding is exact and one result is possible.

use test_support::model::{self, Graph, attribute, byte, integer, tensor, tensor_mut};
use tract_onnx::pb;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;

#[derive(Clone, Copy, Debug)]
pub enum Padding {
    Pads([i64; 4]),
    Auto(&'static str),
}

#[derive(Clone, Debug)]
pub struct Case {
    pub pictures: i64,
    pub groups: i64,
    pub channels: i64,
    pub outputs: i64,
    pub size: [i64; 2],
    pub kernel: [i64; 2],
    pub stride: [i64; 2],
    pub dilation: [i64; 2],
    pub padding: Padding,
    pub signed: Signed,
    pub per_channel: bool,
    pub bias: bool,
    pub x_zero: u8,
    pub y_zero: u8,
    pub seed: u64,
}

#[derive(Clone, Copy, Debug)]
pub struct Signed {
    pub x: bool,
    pub w: bool,
    pub y: bool,
}

/// Adds nought times the image's first byte to the weights, so that they are known only when the
/// model runs.
pub fn weights_from_the_image(g: &mut Graph) {
    let qlinearconv = g.graph.node.pop().unwrap();
    let float = integer("to", DataType::Float as i64);
    g.ints("first", &[1]);
    g.scale("nought", 0.0);
    g.zero("weight_zero", true, 0);
    g.scale("step", 1.0);
    g.node("Slice", &["bytes", "start", "first"], "byte");
    g.node("Cast", &["byte"], "real").attribute = vec![float.clone()];
    g.node("Mul", &["real", "nought"], "nothing");
    g.node("Cast", &["w"], "w_real").attribute = vec![float];
    g.node("Add", &["w_real", "nothing"], "w_sum");
    g.node("QuantizeLinear", &["w_sum", "step", "weight_zero"], "w_made");
    g.graph.node.push(qlinearconv);
    g.graph.node.last_mut().unwrap().input[3] = "w_made".to_owned();
}

/// Takes the image as it comes, with its own sizes.
pub fn take_the_image_itself(g: &mut Graph) {
    let mut qlinearconv = g.graph.node.pop().unwrap();
    qlinearconv.input[0] = "image".to_owned();
    g.graph.node = vec![qlinearconv];
}

/// Makes the window a row of weights over rows of one channel.
pub fn along_one_axis(g: &mut Graph) {
    let shape = tensor_mut(&mut g.graph, "shape");
    shape.raw_data = [1i64, 1, 36].map(i64::to_le_bytes).concat();
    shape.dims = vec![3];
    let weights = tensor_mut(&mut g.graph, "w");
    weights.dims = vec![weights.dims[0], 1, 9];
    g.graph.node.last_mut().unwrap().attribute = vec![attribute("kernel_shape", &[9])];
}

/// The model of a graph: `image` is a square of bytes.
pub fn model_of(mut graph: pb::GraphProto, side: i64) -> pb::ModelProto {
    graph.input = vec![model::value("image", DataType::Uint8, &[1, 1, side, side])];
    let y = graph.node.last().unwrap().output[0].clone();
    graph.output = vec![model::value(&y, DataType::Float, &[1, 1])];
    let mut proto = model::unsealed(side as u16, 1);
    proto.graph = Some(graph);
    proto
}

impl Case {
    pub fn elements(&self) -> i64 {
        self.pictures * self.groups * self.channels * self.size[0] * self.size[1]
    }

    /// Padding above and to the left, and the size of the output.
    pub fn geometry(&self) -> ([i64; 2], [i64; 2]) {
        let along = |axis: usize| {
            let span = (self.kernel[axis] - 1) * self.dilation[axis] + 1;
            let (size, stride) = (self.size[axis], self.stride[axis]);
            match self.padding {
                Padding::Pads(pads) => (pads[axis], (size + pads[axis] + pads[axis + 2] - span) / stride + 1),
                Padding::Auto("VALID") => (0, (size - span) / stride + 1),
                Padding::Auto(name) => {
                    let output = (size + stride - 1) / stride;
                    let all = ((output - 1) * stride + span - size).max(0);
                    (if name == "SAME_UPPER" { all / 2 } else { all - all / 2 }, output)
                }
            }
        };
        let ((top, height), (left, width)) = (along(0), along(1));
        ([top, left], [height, width])
    }

    /// Side of the smallest image that has enough bytes.
    pub fn side(&self) -> i64 {
        (1..).find(|side| side * side >= self.elements()).unwrap()
    }

    /// `image` -> as many bytes as the input has -> QLinearConv `y`.
    pub fn graph(&self) -> Graph {
        let mut g = Graph::new(self.seed);
        let [height, width] = self.size;
        g.ints("flat", &[-1]);
        g.ints("start", &[0]);
        g.ints("end", &[self.elements()]);
        g.ints("shape", &[self.pictures, self.groups * self.channels, height, width]);
        g.node("Reshape", &["image", "flat"], "bytes");
        g.node("Slice", &["bytes", "start", "end"], "some");
        g.node("Reshape", &["some", "shape"], "unsigned");
        let x = if self.signed.x {
            // Exact in floats: q - 128.
            g.scale("one", 1.0);
            g.scale("middle", 128.0);
            g.zero("none", true, 0);
            g.node("Cast", &["unsigned"], "float").attribute = vec![integer("to", DataType::Float as i64)];
            g.node("Sub", &["float", "middle"], "moved");
            g.node("QuantizeLinear", &["moved", "one", "none"], "signed");
            "signed"
        } else {
            "unsigned"
        };
        self.conv(&mut g, x);
        g
    }

    pub fn conv(&self, g: &mut Graph, x: &str) {
        let all = self.groups * self.outputs;
        let depth = self.channels * self.kernel[0] * self.kernel[1];
        // -127 to 127, or 1 to 255 around 128.
        let weights = (0..all * depth)
            .map(|_| ((g.random() % 255) as u8).wrapping_sub(127) ^ if self.signed.w { 0 } else { 0x80 })
            .collect();
        let [kh, kw] = self.kernel;
        g.tensor("w", byte(self.signed.w), &[all, self.channels, kh, kw], weights);
        let bias = (0..all).flat_map(|_| ((g.random() % 40_001) as i32 - 20_000).to_le_bytes()).collect();
        g.tensor("bias", DataType::Int32, &[all], bias);
        // A sum of `depth` products of about 5,400 becomes some tens of steps.
        let shift = 7 + (depth.ilog2() as i32) / 2;
        let scales = if self.per_channel { all } else { 1 };
        let scales: Vec<f32> = (0..scales).map(|_| 2f32.powi(-shift - (g.random() % 3) as i32)).collect();
        let raw = scales.iter().flat_map(|scale| scale.to_le_bytes()).collect();
        let dims: &[i64] = if self.per_channel { &[all] } else { &[] };
        g.tensor("w_scale", DataType::Float, dims, raw);
        g.scale("x_scale", X_SCALE as f32);
        g.scale("y_scale", Y_SCALE as f32);
        g.zero("x_zero", self.signed.x, self.x_zero);
        g.zero("w_zero", self.signed.w, if self.signed.w { 0 } else { 128 });
        g.zero("y_zero", self.signed.y, self.y_zero);
        let mut inputs = vec![x, "x_scale", "x_zero", "w", "w_scale", "w_zero", "y_scale", "y_zero"];
        if self.bias {
            inputs.push("bias");
        }
        let mut attributes = vec![
            attribute("kernel_shape", &self.kernel),
            attribute("strides", &self.stride),
            attribute("dilations", &self.dilation),
            integer("group", self.groups),
        ];
        attributes.push(match self.padding {
            Padding::Pads(pads) => attribute("pads", &pads),
            Padding::Auto(name) => pb::AttributeProto {
                name: "auto_pad".to_owned(),
                r#type: AttributeType::String as i32,
                s: name.into(),
                ..Default::default()
            },
        });
        g.node("QLinearConv", &inputs, "y").attribute = attributes;
    }

    pub fn image(&self) -> Vec<u8> {
        let mut g = Graph::new(!self.seed);
        (0..self.side().pow(2)).map(|_| g.random() as u8).collect()
    }
}

const X_SCALE: f64 = 0.25;
const Y_SCALE: f64 = 0.5;

/// QLinearConv as ONNX defines it, of the graph that [`Case::graph`] made: the bytes of `y`.
pub fn reference(case: &Case, graph: &Graph, image: &[u8]) -> Vec<u8> {
    let [weights, bias, scales] = ["w", "bias", "w_scale"].map(|name| &tensor(&graph.graph, name).raw_data);
    let usize_of = |value: i64| value as usize;
    let [height, width] = case.size.map(usize_of);
    let [kh, kw] = case.kernel.map(usize_of);
    let (per_group, outputs) = (usize_of(case.channels), usize_of(case.outputs));
    let (channels, all) = (per_group * usize_of(case.groups), outputs * usize_of(case.groups));
    let ([top, left], [out_height, out_width]) = case.geometry();
    // An unsigned image is read as signed after 128 was taken off.
    let x_zero = if case.signed.x { i64::from(case.x_zero as i8) + 128 } else { case.x_zero.into() };
    let (y_zero, lowest) =
        if case.signed.y { (i64::from(case.y_zero as i8), -128) } else { (case.y_zero.into(), 0) };

    let mut y = Vec::new();
    for (picture, o) in (0..usize_of(case.pictures)).flat_map(|p| (0..all).map(move |o| (p, o))) {
        for (row, column) in (0..out_height).flat_map(|r| (0..out_width).map(move |c| (r, c))) {
            let mut sum = i64::from(i32::from_le_bytes(bias[4 * o..4 * o + 4].try_into().unwrap()));
            sum *= i64::from(case.bias);
            for at in 0..per_group * kh * kw {
                let (channel, ky, kx) = (at / (kh * kw), at / kw % kh, at % kw);
                let from_y = row * case.stride[0] + ky as i64 * case.dilation[0] - top;
                let from_x = column * case.stride[1] + kx as i64 * case.dilation[1] - left;
                if !(0..case.size[0]).contains(&from_y) || !(0..case.size[1]).contains(&from_x) {
                    continue;
                }
                let channel = o / outputs * per_group + channel;
                let place = (picture * channels + channel) * height + from_y as usize;
                let q = i64::from(image[place * width + from_x as usize]);
                let byte = weights[o * per_group * kh * kw + at];
                let w = if case.signed.w { i64::from(byte as i8) } else { i64::from(byte) - 128 };
                sum += (q - x_zero) * w;
            }
            let at = if case.per_channel { 4 * o } else { 0 };
            let w_scale = f64::from(f32::from_le_bytes(scales[at..at + 4].try_into().unwrap()));
            let steps = (sum as f64 * (X_SCALE * w_scale / Y_SCALE)).round_ties_even() as i64;
            y.push((steps + y_zero).clamp(lowest, lowest + 255) as u8);
        }
    }
    y
}

/// Declares that the number of pictures is known only when the model runs.
pub fn set_unknown_batch(proto: &mut pb::ModelProto) {
    let input = &mut proto.graph.as_mut().unwrap().input[0];
    let Some(pb::type_proto::Value::TensorType(tensor)) = &mut input.r#type.as_mut().unwrap().value else {
        panic!()
    };
    let batch = &mut tensor.shape.as_mut().unwrap().dim[0];
    batch.value = Some(pb::tensor_shape_proto::dimension::Value::DimParam("N".to_owned()));
}

/// `y` is the residual sum, on one grid, of every two bytes of an image of 16 x 16.
pub fn sum_of_all_pairs(scale: f32, zero: u8) -> pb::ModelProto {
    let mut g = Graph::new(0);
    g.scale("scale", scale);
    g.zero("zero", false, zero);
    g.ints("column", &[256, 1]);
    g.ints("square", &[256, 256]);
    g.node("Reshape", &["image", "column"], "bytes");
    g.node("Expand", &["bytes", "square"], "rows");
    g.node("Transpose", &["rows"], "columns").attribute = vec![attribute("perm", &[1, 0])];
    g.node("DequantizeLinear", &["rows", "scale", "zero"], "a");
    g.node("DequantizeLinear", &["columns", "scale", "zero"], "b");
    g.node("Add", &["a", "b"], "sum");
    g.node("QuantizeLinear", &["sum", "scale", "zero"], "y");
    model_of(g.graph, 16)
}
