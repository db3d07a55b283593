use super::*;

fn rng() -> SeededRng {
    SeededRng::new(3, Purpose::Film, 0, 0)
}

/// Rises to the right and, half as much, downwards: no symmetry is hidden.
fn slope() -> Vec<f32> {
    (0..N * N).map(|i| (2.0 * middle(i % N) + middle(i / N)) / 3.0).collect()
}

fn at(picture: &[f32], x: usize, y: usize) -> f32 {
    picture[y * N + x]
}

fn near(a: f32, b: f32, within: f32) {
    assert!((a - b).abs() <= within, "expected {b}, got {a}");
}

#[test]
fn a_plain_photograph_is_the_film_itself() {
    let film: Vec<u8> = slope().iter().map(|v| (255.0 * v) as u8).collect();
    let taken = Photo::PLAIN.take(&film, &mut rng());
    let worst = film.iter().zip(&taken).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(worst <= Some(3), "{worst:?}");
}

#[test]
fn a_screen_of_another_gamma_moves_the_middle_and_not_the_ends() {
    let photo = Photo { screen_gamma: 2.8, ..Photo::PLAIN };
    for (shown, expected) in [(0u8, 0.0f32), (128, 255.0 * (128.0f32 / 255.0).powf(2.8 / 2.2)), (255, 255.0)]
    {
        let taken = photo.take(&vec![shown; N * N], &mut rng());
        near(f32::from(taken[N * N / 2]), expected, 1.0);
    }
}

#[test]
fn the_photographs_corners_show_the_given_places_of_the_film() {
    let film = slope();
    let corners = [[0.1, 0.05], [0.8, 0.2], [0.9, 0.95], [0.02, 0.7]];
    let seen = askew(&film, &corners, 0.0);
    let expected = |[x, y]: [f32; 2]| (2.0 * x + y) / 3.0;
    for (corner, (x, y)) in corners.into_iter().zip([(0, 0), (N - 1, 0), (N - 1, N - 1), (0, N - 1)]) {
        near(at(&seen, x, y), expected(corner), 0.01);
    }
    // Lines stay straight and their crossing stays a crossing: the middle of the photograph is where
    // the film's diagonals between the corners meet, which for an affine map would be their mean.
    let [a, b, c, d] = corners;
    let (p, q) = ([c[0] - a[0], c[1] - a[1]], [d[0] - b[0], d[1] - b[1]]);
    let t = ((b[0] - a[0]) * q[1] - (b[1] - a[1]) * q[0]) / (p[0] * q[1] - p[1] * q[0]);
    near(at(&seen, N / 2, N / 2), expected([a[0] + t * p[0], a[1] + t * p[1]]), 0.01);
    // The comparison bites: with two corners exchanged the places are others.
    let swapped = askew(&film, &[corners[1], corners[0], corners[2], corners[3]], 0.0);
    assert!((at(&swapped, 0, 0) - expected(corners[0])).abs() > 0.1);
    // Beside the film there is the room.
    let far = askew(&film, &[[-0.2, -0.2], [1.2, -0.2], [1.2, 1.2], [-0.2, 1.2]], 0.7);
    near(at(&far, 3, N / 2), 0.7, 1e-6);
}

#[test]
fn a_glare_adds_its_light_where_it_is() {
    let mut light = vec![0.2; N * N];
    let (x, y) = (60, 150);
    reflect(&mut light, &Glare { centre: [middle(x), middle(y)], radius: 0.1, light: 0.3 });
    near(at(&light, x, y), 0.5, 1e-5);
    // A standard deviation away it is exp(-1/2) of that, in both directions.
    let away = (0.1 * N as f32).round() as usize;
    let expected = 0.2 + 0.3 * (-0.5 * (away as f32 / (0.1 * N as f32)).powi(2)).exp();
    near(at(&light, x + away, y), expected, 1e-4);
    near(at(&light, x, y - away), expected, 1e-4);
    // Across and down exchanged would be seen.
    near(at(&light, y, x), 0.2, 1e-3);
}

#[test]
fn a_moire_repeats_after_its_period_along_its_direction() {
    let mut light = vec![0.5; N * N];
    beat(&mut light, &Moire { period: 10.0, angle: 0.0, phase: 0.0, strength: 0.1 });
    near(at(&light, 0, 0), 0.5 * 1.1 * 1.1, 1e-5);
    near(at(&light, 10, 20), at(&light, 0, 0), 1e-4);
    near(at(&light, 5, 0), 0.5 * 0.9 * 1.1, 1e-4);
    // Turned by a quarter of a right angle the same row is another wave.
    let mut turned = vec![0.5; N * N];
    let angle = std::f32::consts::FRAC_PI_4;
    beat(&mut turned, &Moire { period: 10.0, angle, phase: 0.0, strength: 0.1 });
    assert!((at(&turned, 10, 0) - at(&turned, 0, 0)).abs() > 0.02);
}

#[test]
fn a_vignette_takes_its_share_from_the_corners_and_nothing_from_the_middle() {
    let mut light = vec![0.8; N * N];
    darken_corners(&mut light, 0.4);
    near(at(&light, N / 2, N / 2), 0.8, 1e-4);
    for (x, y) in [(0, 0), (N - 1, 0), (0, N - 1), (N - 1, N - 1)] {
        near(at(&light, x, y), 0.8 * 0.6, 0.01);
    }
    near(at(&light, 0, N / 2), 0.8 * 0.8, 0.01);
}

#[test]
fn motion_draws_a_point_out_along_its_direction() {
    let mut light = vec![0.0; N * N];
    light[100 * N + 100] = 1.0;
    let spread = |angle: f32| {
        let seen = moved(&light, (4.0, angle));
        let sum = |range: [std::ops::Range<usize>; 2]| -> f32 {
            let [xs, ys] = range;
            ys.flat_map(|y| xs.clone().map(move |x| (x, y))).map(|(x, y)| at(&seen, x, y)).sum()
        };
        (sum([90..111, 100..101]), sum([100..101, 90..111]), seen.iter().sum::<f32>(), at(&seen, 100, 100))
    };
    let (row, column, all, peak) = spread(0.0);
    near(all, 1.0, 1e-4);
    near(row, 1.0, 1e-4);
    assert!(column < 0.5 && peak < 0.5, "{column} {peak}");
    let (row, column, ..) = spread(std::f32::consts::FRAC_PI_2);
    near(column, 1.0, 1e-4);
    assert!(row < 0.5, "{row}");
}

#[test]
fn white_balance_clips_one_colour_before_the_others() {
    let grey = |light: f32, gains| f32::from(develop(&[light; N], gains, (0.0, 0.0), &mut rng())[0]);
    near(grey(0.5, [1.0; 3]), 255.0 * 0.5f32.powf(1.0 / 2.2), 1.0);
    let encode = |light: f32| 255.0 * light.min(1.0).powf(1.0 / 2.2);
    // Red and blue exchanged would give another grey: their weights are 77 and 29.
    let expected = (77.0 * encode(1.2) + 150.0 * encode(0.8) + 29.0 * encode(0.4)) / 256.0;
    near(grey(0.8, [1.5, 1.0, 0.5]), expected, 1.0);
    assert!((grey(0.8, [0.5, 1.0, 1.5]) - expected).abs() > 5.0);
}

#[test]
fn noise_has_its_variance_and_no_mean() {
    // Encoded by a curve: its slope at the light turns deviations of light into those of steps.
    let light = 0.5f32;
    let slope = 255.0 / 2.2 * light.powf(1.0 / 2.2 - 1.0);
    let deviation = |noise| {
        let taken = develop(&vec![light; N * N], [1.0; 3], noise, &mut rng());
        let mean = taken.iter().map(|&v| f64::from(v)).sum::<f64>() / taken.len() as f64;
        near(mean as f32, 255.0 * light.powf(1.0 / 2.2), 0.5);
        let squares = taken.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>();
        (squares / taken.len() as f64).sqrt() as f32
    };
    near(deviation((1e-3, 0.0)), slope * (1e-3 * light).sqrt(), 0.2);
    near(deviation((0.0, 1e-3)), slope * 1e-3f32.sqrt(), 0.2);
}

#[test]
fn a_share_of_nothing_draws_nothing_and_a_share_of_all_is_keyed() {
    let film = vec![90; N * N];
    let mut untouched = rng();
    assert!(matches!(sometimes(&film, 0.0, &mut untouched), Cow::Borrowed(_)));
    assert_eq!(untouched.unit(), rng().unit(), "no draw was taken");
    let taken = sometimes(&film, 1.0, &mut rng()).into_owned();
    assert_eq!(taken, sometimes(&film, 1.0, &mut rng()).into_owned());
    assert_ne!(taken, film);
}
