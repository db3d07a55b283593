//! Writes a packed model from a network in ONNX's terms.

use super::plan::{Plan, Step, plan};
use super::record::{header, kind, layer, value};
use super::{ALIGNMENT, CRC, MAGIC, MAX_FEATURES, MAX_LAYERS, VERSION};
use crate::kernels::convolution::Convolution;
use crate::kernels::depthwise::Depthwise;
use crate::kernels::first::First;
use crate::kernels::layout::{self, DEPTH};
use crate::kernels::pool::Head;
use crate::kernels::{Shape, Window};
use crate::model::Metadata;
use crate::preprocess;
use core::fmt;
use heapless::Vec;

/// A network in ONNX's terms, ready to be packed.
#[derive(Clone, Copy, Debug)]
pub struct Network<'a> {
    /// SHA-256 of the ONNX file.
    pub onnx_sha256: [u8; 32],
    /// What the model says of itself.
    pub metadata: &'a Metadata,
    /// The input, then what each layer makes.
    pub values: &'a [NetworkValue<'a>],
    /// In order of execution.
    pub layers: &'a [NetworkLayer<'a>],
    /// Reads the last value.
    pub head: Head<'a>,
}

/// A value of 8 bits.
#[derive(Clone, Copy, Debug)]
pub struct NetworkValue<'a> {
    /// Its name in the ONNX graph.
    pub name: &'a str,
    /// Its size.
    pub shape: Shape,
    /// Real units a step.
    pub scale: f32,
    /// The step that stands for 0.
    pub zero: u8,
}

/// A layer.
#[derive(Clone, Copy, Debug)]
pub enum NetworkLayer<'a> {
    /// A QLinearConv.
    Convolution {
        /// Value that it reads.
        input: usize,
        /// Its window.
        window: Window,
        /// Groups.
        groups: usize,
        /// Signed weights: output, input of the group, row, column.
        weights: &'a [i8],
        /// One a channel, as in the ONNX file.
        biases: &'a [i32],
        /// `(x_scale * w_scale) / y_scale` of each channel.
        multipliers: &'a [f32],
    },
    /// The sum of two values of one shape, scale and zero point.
    Add {
        /// The two values.
        inputs: [usize; 2],
    },
}

impl NetworkLayer<'_> {
    fn inputs(&self) -> [usize; 2] {
        match *self {
            NetworkLayer::Convolution { input, .. } => [input; 2],
            NetworkLayer::Add { inputs } => inputs,
        }
    }
}

/// Why a network cannot be packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteError {
    /// A layer breaks a rule.
    Layer {
        /// Its number, from 0.
        layer: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// The network as a whole does.
    Network {
        /// What is wrong.
        what: &'static str,
    },
    /// The output slice is too short.
    Space {
        /// Bytes needed.
        expected: usize,
        /// Bytes given.
        got: usize,
    },
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Layer { layer, what } => {
                write!(f, "layer {layer} cannot be packed: {what}; export the model again with host-trainer")
            }
            Self::Network { what } => {
                write!(f, "the network cannot be packed: {what}; export the model again with host-trainer")
            }
            Self::Space { expected, got } => write!(f, "expected room for {expected} bytes, got {got}"),
        }
    }
}

impl core::error::Error for WriteError {}

/// How a layer is computed, and how large what it needs is.
struct Form {
    kind: u16,
    /// Rows of the channels' numbers.
    rows: usize,
    weights: usize,
    scratch: usize,
    in_place: bool,
}

/// Bytes that [`write`] needs.
///
/// # Errors
/// [`WriteError`] where the network breaks a rule.
pub fn packed_len(network: &Network) -> Result<usize, WriteError> {
    let mut out = Out { bytes: &mut [], at: 0 };
    compose(network, &mut out)?;
    Ok(out.at)
}

/// Writes the model into `out`; returns its length.
///
/// # Errors
/// [`WriteError`].
pub fn write(network: &Network, out: &mut [u8]) -> Result<usize, WriteError> {
    let expected = packed_len(network)?;
    let got = out.len();
    let bytes = out.get_mut(..expected).ok_or(WriteError::Space { expected, got })?;
    bytes.fill(0);
    compose(network, &mut Out { bytes, at: 0 })?;
    let checksum = CRC.checksum(bytes.get(header::COVERED..).unwrap_or(&[]));
    Out { bytes, at: 0 }.put(header::CHECKSUM.start, &checksum.to_le_bytes());
    Ok(expected)
}

/// Output that counts on where there is no room: a pass over nothing tells the length.
struct Out<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl Out<'_> {
    fn put(&mut self, at: usize, what: &[u8]) {
        if let Some(to) = self.bytes.get_mut(at..at + what.len()) {
            to.copy_from_slice(what);
        }
    }

    /// The next section of that length; returns where it begins.
    fn section(&mut self, length: usize) -> usize {
        let at = self.at.next_multiple_of(ALIGNMENT);
        self.at = at + length;
        at
    }

    fn numbers<const N: usize>(&mut self, from: usize, numbers: impl Iterator<Item = [u8; N]>) {
        for (index, number) in numbers.enumerate() {
            self.put(from + index * N, &number);
        }
    }
}

fn u32_of(n: usize) -> [u8; 4] {
    (n as u32).to_le_bytes()
}

fn compose(network: &Network, out: &mut Out) -> Result<(), WriteError> {
    let (forms, plan) = arrange(network)?;
    let layers = network.layers.len();
    out.at = header::SIZE;
    let values = out.section((layers + 1) * value::SIZE);
    let records = out.section(layers * layer::SIZE);
    let mut name = 0;
    for (index, (v, &place)) in network.values.iter().zip(&plan.values).enumerate() {
        let at = values + index * value::SIZE;
        for (field, n) in [
            (value::HEIGHT, v.shape.height),
            (value::WIDTH, v.shape.width),
            (value::CHANNELS, v.shape.channels),
            (value::ZERO, v.zero.into()),
        ] {
            out.put(at + field.start, &(n as u16).to_le_bytes());
        }
        out.put(at + value::PLACE.start, &u32_of(place));
        out.put(at + value::SCALE.start, &v.scale.to_le_bytes());
        out.put(at + value::NAME.start, &u32_of(name));
        out.put(at + value::NAME_LENGTH.start, &u32_of(v.name.len()));
        name += v.name.len();
    }
    for (index, (form, &scratch)) in forms.iter().zip(plan.scratch.iter().skip(1)).enumerate() {
        write_layer(network, index, form, scratch, records + index * layer::SIZE, out);
    }
    let head_weights = out.section(network.head.weights.len());
    out.numbers(head_weights, network.head.weights.iter().map(|w| w.to_le_bytes()));

    let mut length = 0;
    network.metadata.write_props(|key, text| length += 4 + key.len() + text.len());
    let properties = out.section(length);
    let mut at = properties;
    network.metadata.write_props(|key, text| {
        for text in [key, text] {
            out.put(at, &(text.len() as u16).to_le_bytes());
            out.put(at + 2, text.as_bytes());
            at += 2 + text.len();
        }
    });
    let names = out.section(name);
    let mut at = names;
    for v in network.values {
        out.put(at, v.name.as_bytes());
        at += v.name.len();
    }
    out.section(0);

    out.put(header::MAGIC.start, &MAGIC);
    out.put(header::ONNX_SHA256.start, &network.onnx_sha256);
    let total = out.at;
    for (field, n) in [
        (header::VERSION, VERSION as usize),
        (header::LENGTH, total),
        (header::ARENA, plan.arena),
        (header::VALUES, values),
        (header::LAYERS, records),
        (header::LAYER_COUNT, layers),
        (header::PROPERTIES, properties),
        (header::PROPERTIES_LENGTH, length),
        (header::NAMES, names),
        (header::NAMES_LENGTH, name),
        (header::HEAD_WEIGHTS, head_weights),
        (header::PREPROCESS, plan.scratch.first().copied().unwrap_or(0)),
    ] {
        out.put(field.start, &u32_of(n));
    }
    for (field, n) in [
        (header::HEAD_STEP, network.head.step),
        (header::HEAD_SCALE, network.head.scale),
        (header::HEAD_BIAS, network.head.bias),
    ] {
        out.put(field.start, &n.to_le_bytes());
    }
    Ok(())
}

/// Chooses each layer's form, checks every rule, and plans the arena.
fn arrange(network: &Network) -> Result<(Vec<Form, MAX_LAYERS>, Plan), WriteError> {
    let whole = |what| WriteError::Network { what };
    let (mut forms, mut steps) = (Vec::new(), Vec::<Step, MAX_LAYERS>::new());
    if network.layers.is_empty() || network.values.len() != network.layers.len() + 1 {
        return Err(whole("expected a value for the input and one for each layer"));
    }
    for (index, (net_layer, output)) in network.layers.iter().zip(network.values.iter().skip(1)).enumerate() {
        let wrong = |what| WriteError::Layer { layer: index, what };
        if net_layer.inputs().iter().any(|&input| input > index) {
            return Err(wrong("it reads a value that is not made before it"));
        }
        let form = form(network, net_layer, output).map_err(wrong)?;
        let step = Step {
            inputs: net_layer.inputs(),
            output: output.shape.bytes(),
            scratch: form.scratch,
            in_place: form.in_place,
        };
        let fits = steps.push(step).is_ok() && forms.push(form).is_ok();
        if !fits {
            return Err(whole("it has too many layers"));
        }
    }
    let features = network.values.last().map_or(0, |v| v.shape.channels);
    if network.head.weights.len() != features || features > MAX_FEATURES {
        return Err(whole("expected one head weight a channel of the last value, at most 256"));
    }
    let largest = network.values.iter().flat_map(|v| [v.shape.height, v.shape.width, v.shape.channels]).max();
    if largest.is_none_or(|n| n > usize::from(u16::MAX)) {
        return Err(whole("a value is larger than 65,535 along an axis"));
    }
    let side = network.metadata.input_side;
    let input = network.values.first().map_or(0, |v| v.shape.bytes());
    let plan =
        plan(input, preprocess::scratch_bytes(side), &steps).ok_or(whole("the arena cannot be planned"))?;
    Ok((forms, plan))
}

/// Chooses a layer's form and checks its numbers.
fn form(network: &Network, net_layer: &NetworkLayer, output: &NetworkValue) -> Result<Form, &'static str> {
    let value = |at: usize| network.values.get(at).ok_or("it reads a value that is not there");
    let NetworkLayer::Convolution { input, window, groups, weights, biases, multipliers } = net_layer else {
        for input in net_layer.inputs() {
            let v = value(input)?;
            if (v.shape, v.zero) != (output.shape, output.zero) || v.scale != output.scale {
                return Err("an addition's values must share shape, scale and zero point");
            }
        }
        let [a, b] = net_layer.inputs();
        return Ok(Form { kind: kind::ADD, rows: 0, weights: 0, scratch: 0, in_place: a != b });
    };
    let (x, outputs) = (value(*input)?, output.shape.channels);
    let shape = &x.shape;
    if *groups == 0 || shape.channels % groups != 0 || outputs % groups != 0 || outputs == 0 {
        return Err("its groups do not divide its channels");
    }
    let size = window.output(shape.height, shape.width).ok_or("its window does not fit its input")?;
    if size != [output.shape.height, output.shape.width] {
        return Err("its output has another size than its window gives");
    }
    let fan_in = shape.channels / groups * window.kernel[0] * window.kernel[1];
    if weights.len() != outputs * fan_in || biases.len() != outputs || multipliers.len() != outputs {
        return Err("weights, biases and multipliers do not fit its channels");
    }
    check_numbers(x.zero, fan_in, weights, biases, multipliers)?;
    Ok(if *groups == 1 && First::covers(shape, window) {
        let weights = layout::block_bytes(outputs, window.kernel[0] * DEPTH);
        Form {
            kind: kind::FIRST,
            rows: outputs,
            weights,
            scratch: First::scratch(shape, window),
            in_place: false,
        }
    } else if *groups == 1 && *window == Window::POINT {
        let weights = layout::block_bytes(outputs, shape.channels);
        Form { kind: kind::POINTWISE, rows: outputs, weights, scratch: 0, in_place: false }
    } else if *groups == shape.channels && outputs == shape.channels && Depthwise::covers(window) {
        Form {
            kind: kind::DEPTHWISE,
            rows: outputs,
            weights: layout::tap_bytes(outputs, window.kernel),
            scratch: Depthwise::scratch(shape, window),
            in_place: Depthwise::in_place(shape, window),
        }
    } else {
        Form {
            kind: kind::CONVOLUTION,
            rows: Convolution::padded_outputs(outputs, *groups),
            weights: Convolution::weight_bytes(shape, window, outputs, *groups),
            scratch: Convolution::scratch(shape, window, *groups),
            in_place: false,
        }
    })
}

/// Rules 2 and 8 of the exact form: what lets every kernel count without a check.
fn check_numbers(
    x_zero: u8,
    fan_in: usize,
    weights: &[i8],
    biases: &[i32],
    multipliers: &[f32],
) -> Result<(), &'static str> {
    let widest = i64::from(x_zero.max(255 - x_zero));
    for ((row, &bias), &multiplier) in weights.chunks(fan_in.max(1)).zip(biases).zip(multipliers) {
        if row.contains(&-128) {
            return Err("a weight of -128 (rule 2 of the exact form)");
        }
        let sum: i64 = row.iter().map(|w| i64::from(w.unsigned_abs())).sum();
        let largest = sum * widest + i64::from(bias).abs();
        let reach = largest as f32 * multiplier;
        if largest >= 1 << 24 || !(multiplier > 0.0 && reach < (1 << 22) as f32) {
            return Err("an accumulator could reach 2^24, or 2^22 when scaled (rule 8 of the exact form)");
        }
    }
    Ok(())
}

fn write_layer(network: &Network, index: usize, form: &Form, scratch: usize, record: usize, out: &mut Out) {
    let Some(net_layer) = network.layers.get(index) else { return };
    let inputs = net_layer.inputs();
    let small = |out: &mut Out, field: super::record::Field, n: usize| {
        out.put(record + field.start, &(n as u16).to_le_bytes());
    };
    small(out, layer::KIND, form.kind.into());
    small(out, layer::INPUT, inputs[0]);
    small(out, layer::OTHER, inputs[1]);
    let mut places = [0; 4];
    let mut window = Window::POINT;
    let mut all_groups = 1;
    if let NetworkLayer::Convolution { input, window: w, groups, weights, biases, multipliers } = *net_layer {
        (window, all_groups) = (w, groups);
        let zero = i32::from(network.values.get(input).map_or(0, |v| v.zero));
        places = write_numbers(form, groups, &window, zero, (weights, biases, multipliers), out);
    }
    small(out, layer::GROUPS, all_groups);
    let Window { kernel, stride, dilation, before, after } = window;
    for (at, n) in [kernel, stride, dilation, before, after].into_iter().flatten().enumerate() {
        small(out, layer::WINDOW.start + at * 2..layer::WINDOW.end, n);
    }
    let [weights, bias, signed_bias, multiplier] = places;
    for (field, n) in [
        (layer::WEIGHTS, weights),
        (layer::WEIGHTS_LENGTH, form.weights),
        (layer::BIAS, bias),
        (layer::SIGNED_BIAS, signed_bias),
        (layer::MULTIPLIER, multiplier),
        (layer::SCRATCH, scratch),
        (layer::SCRATCH_LENGTH, form.scratch),
    ] {
        out.put(record + field.start, &u32_of(n));
    }
}

/// Writes weights in the kernels' layout and the channels' numbers; returns where weights, bias, signed bias and multipliers begin.
fn write_numbers(
    form: &Form,
    groups: usize,
    window: &Window,
    zero: i32,
    (weights, biases, multipliers): (&[i8], &[i32], &[f32]),
    out: &mut Out,
) -> [usize; 4] {
    let outputs = biases.len();
    let (per_group, fan_in) = (outputs / groups, weights.len() / outputs.max(1));
    let [rows, columns] = window.kernel;
    let weight = |output: usize, at: usize| weights.get(output * fan_in + at).copied().unwrap_or(0);
    let at = out.section(form.weights);
    if let Some(to) = out.bytes.get_mut(at..at + form.weights) {
        let to: &mut [i8] = bytemuck::cast_slice_mut(to);
        match form.kind {
            kind::FIRST => layout::write_blocks(outputs, rows * DEPTH, to, |o, i| {
                if i % DEPTH < columns { weight(o, i / DEPTH * columns + i % DEPTH) } else { 0 }
            }),
            kind::DEPTHWISE => {
                layout::write_taps(outputs, window.kernel, to, |c, row, column| {
                    weight(c, row * columns + column)
                });
            }
            // A pointwise convolution is the case of one group and one place.
            _ => {
                let (padded, inputs) = (layout::padded(per_group), fan_in / (rows * columns));
                let block_rows = if form.kind == kind::POINTWISE { outputs } else { form.rows };
                layout::write_blocks(block_rows, fan_in, to, |row, i| {
                    let (group, o) = (row / padded, row % padded);
                    let (place, input) = (i / inputs, i % inputs);
                    if o < per_group {
                        weight(group * per_group + o, input * rows * columns + place)
                    } else {
                        0
                    }
                });
            }
        }
    }
    // Where the numbers of an output stand: groups of a general convolution begin at whole blocks.
    let spread = form.kind == kind::CONVOLUTION;
    let row = |o: usize| if spread { o / per_group * layout::padded(per_group) + o % per_group } else { o };
    let length = layout::padded(form.rows) * 4;
    let [bias_at, signed_at, multiplier_at] = [(); 3].map(|()| out.section(length));
    for (output, (&bias, &multiplier)) in biases.iter().zip(multipliers).enumerate() {
        let of_output = weights.get(output * fan_in..(output + 1) * fan_in).unwrap_or(&[]);
        let sum: i32 = of_output.iter().map(|&w| i32::from(w)).sum();
        let folded = bias - zero * sum;
        let slot = row(output) * 4;
        out.put(bias_at + slot, &folded.to_le_bytes());
        out.put(signed_at + slot, &(folded + 128 * sum).to_le_bytes());
        out.put(multiplier_at + slot, &multiplier.to_le_bytes());
    }
    [at, bias_at, signed_at, multiplier_at]
}
