//! Puts a packed model's bytes where they belong: header, records, weights in the kernels' layout,
//! metadata, numbers, names.
//!
//! `arrange` has checked the network: every value, weight and bias that is asked for here is there,
//! and the zeros that stand for missing ones are never written.

use super::arrange::Form;
use super::format::{header, kind, layer, metadata as metadata_fields, value};
use super::out::{Out, u32_of};
use super::plan::Plan;
use super::{MAGIC, Network, NetworkLayer, VERSION, metadata};
use crate::kernels::layout::{self, DEPTH};
use crate::kernels::{WeightBits, Window};

pub(super) fn compose(network: &Network, forms: &[Form], plan: &Plan, out: &mut Out) {
    let layers = network.layers.len();
    let values = header::SIZE;
    let records = values + (layers + 1) * value::SIZE;
    let metadata_record = records + layers * layer::SIZE;
    let head_weights = metadata_record + metadata_fields::SIZE;
    // The plan's checksum is taken over whole words.
    let plan_length = (head_weights + network.head.weights.len()).next_multiple_of(4);
    out.at = plan_length;
    out.numbers(head_weights, network.head.weights.iter().map(|w| w.to_le_bytes()));
    let mut name = 0;
    for (index, (v, &place)) in network.values.iter().zip(&plan.values).enumerate() {
        let at = values + index * value::SIZE;
        for (field, n) in [
            (value::HEIGHT, v.shape.height),
            (value::WIDTH, v.shape.width),
            (value::CHANNELS, v.shape.channels),
            (value::ZERO, v.zero.into()),
        ] {
            out.put(at + field, &(n as u16).to_le_bytes());
        }
        out.put(at + value::PLACE, &u32_of(place));
        out.put(at + value::SCALE, &v.scale.to_le_bytes());
        out.put(at + value::NAME, &u32_of(name));
        out.put(at + value::NAME_LENGTH, &u32_of(v.name.len()));
        name += v.name.len();
    }
    for (index, (form, &scratch)) in forms.iter().zip(plan.scratch.iter().skip(1)).enumerate() {
        write_layer(network, index, form, scratch, records + index * layer::SIZE, out);
    }

    metadata::write(&network.metadata, metadata_record, out);
    let names = out.section(name);
    let mut at = names;
    for v in network.values {
        out.put(at, v.name.as_bytes());
        at += v.name.len();
    }
    out.section(0);

    out.put(header::MAGIC, &MAGIC);
    out.put(header::ONNX_SHA256, &network.onnx_sha256);
    let total = out.at;
    for (field, n) in [
        (header::VERSION, VERSION as usize),
        (header::LENGTH, total),
        (header::ARENA, plan.arena),
        (header::PLAN_LENGTH, plan_length),
        (header::LAYER_COUNT, layers),
        (header::NAMES, names),
        (header::NAMES_LENGTH, name),
        (header::FLAGS, if is_narrow(network) { header::NARROW_WEIGHTS as usize } else { 0 }),
        (header::PREPROCESS, plan.scratch.first().copied().unwrap_or(0)),
    ] {
        out.put(field, &u32_of(n));
    }
    for (field, n) in [
        (header::HEAD_STEP, network.head.step),
        (header::HEAD_SCALE, network.head.scale),
        (header::HEAD_BIAS, network.head.bias),
    ] {
        out.put(field, &n.to_le_bytes());
    }
}

/// Whether no weight of a convolution has more than 7 bits.
fn is_narrow(network: &Network) -> bool {
    network.layers.iter().all(|layer| match layer {
        NetworkLayer::Convolution { weights, .. } => WeightBits::of(weights) == WeightBits::Seven,
        NetworkLayer::Add { .. } => true,
    })
}

fn write_layer(network: &Network, index: usize, form: &Form, scratch: usize, record: usize, out: &mut Out) {
    let Some(net_layer) = network.layers.get(index) else { return };
    let inputs = net_layer.inputs();
    let small = |out: &mut Out, field: usize, n: usize| out.put(record + field, &(n as u16).to_le_bytes());
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
    for (field, [vertical, horizontal]) in [
        (layer::KERNEL, kernel),
        (layer::STRIDE, stride),
        (layer::DILATION, dilation),
        (layer::BEFORE, before),
        (layer::AFTER, after),
    ] {
        small(out, field, vertical);
        small(out, field + 2, horizontal);
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
        out.put(record + field, &u32_of(n));
    }
}

/// Writes weights in the kernels' layout and the channels' numbers; returns where weights, bias,
/// signed bias and multipliers begin.
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
            kind::SINGLE_CHANNEL => layout::write_blocks(outputs, rows * DEPTH, to, |o, i| {
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
