### English, which every other language falls back to. The sentences are for nurses: plain words, what is the matter, then
### (.remedy) what to do. A new text is written here first, in the section of its page, then into every other file.

notice = It supports a decision; it is not a diagnosis. { state-negative } does not rule illness out; { state-refer } and { state-invalid } mean that a person must look.

## States: as large as the screen allows, so short; no two alike at a glance

state-positive = POSITIVE
state-negative = NEGATIVE
state-refer = REFER
state-invalid = INVALID
state-fault = FAULT
# No answer is shown, and nothing is wrong
state-ready = READY
ready-why = Waiting for a picture.
    .remedy = Dark lights never mean that anybody is healthy.

## Reasons: the network's answer

reason-above-threshold = The score is above the upper threshold.
    .remedy = Have a clinician look at the patient and at the picture.
reason-below-threshold = The score is below the lower threshold.
    .remedy = This does not rule illness out: go by how the patient is.
reason-between-thresholds = The score lies between the thresholds.
    .remedy = A person must look at the picture.
reason-unsettled = The last pictures do not agree yet: { $got } of { $limit }.
    .remedy = Hold the picture still.
reason-unacknowledged = { $got ->
        [one] One answer needs a person, and nobody has acknowledged it.
       *[other] { $got } answers need a person, and nobody has acknowledged them.
    }
    .remedy = Look at the pictures, then acknowledge each answer.
reason-no-frontal-view = No frontal view of this study has come.
    .remedy = A person must look at the pictures. Send the frontal view if there is one.

## Reasons: the picture

reason-elongated = The picture has the wrong shape: its longer side is { $got } times the shorter one (at most { $limit }).
    .remedy = Let the whole film be seen, and nothing beside it.
reason-dark = The picture is too dark: brightness { $got } % (at least { $limit } %).
    .remedy = Make the light box or the screen brighter. Let nothing stand before the lens.
reason-bright = The picture is too bright: brightness { $got } % (at most { $limit } %).
    .remedy = Make the light box or the screen darker. Keep lamps and sunlight off the film.
reason-low-contrast = The picture is blank or has too little contrast: { $got } % (at least { $limit } %).
    .remedy = Is there a film, and is the light box on? Keep reflections off the film.
reason-underexposed = Too much of the picture is black: { $got } % (at most { $limit } %).
    .remedy = Let the film fill the picture, and light all of it.
reason-overexposed = Too much of the picture is white: { $got } % (at most { $limit } %).
    .remedy = Let the film fill the picture. Cover the bare part of the light box, and avoid glare.
reason-blurred = The picture is blurred: sharpness { $got } (at least { $limit }).
    .remedy = Focus the camera, clean its lens, and hold the picture still.
reason-unlike-layout = Light and dark are not those of a whole, upright chest X-ray ({ $got }, at least { $limit }).
    .remedy = Show one whole chest X-ray, upright.
reason-unlike-features = The details are not those of a whole, upright chest X-ray ({ $got }, at least { $limit }).
    .remedy = Show one whole chest X-ray, upright.
reason-unfamiliar = This chest is unlike those that the model was measured on ({ $got }, at least { $limit }).
    .remedy = A person must look at the picture.

## Reasons: the network

reason-not-finite = The network gave no valid number: the model or the program is damaged.
    .remedy = Switch the device off and on. If this comes back, do not use it, and have it repaired.
reason-engine-failed = The network could not be computed.
    .remedy = Switch the device off and on. If this comes back, do not use it, and have it repaired.

## Reasons: the camera or the folder

reason-starting = Waiting for the first picture.
reason-camera-lost = There is no camera, or no folder of pictures.
    .remedy = Check the camera’s cable.
reason-stale = No new picture for { $got } s (at most { $limit } s): the camera hangs.
    .remedy = Unplug the camera and plug it in again.
reason-stuck = The camera repeats one and the same picture.
    .remedy = Switch the camera off and on.
reason-no-signal = The camera has no signal.
    .remedy = Check what the camera is connected to, and its cable.
reason-damaged-frame = The picture is damaged.
    .remedy = Check the camera’s cable, or send the file again.
reason-overrun = The camera sends faster than the device can take.
    .remedy = Have whoever looks after the device set the camera to be slower.
reason-unread-kind = This kind of file is not read.
    .remedy = Send one picture by itself, as JPEG, PNG or uncompressed DICOM.
reason-wrong-size = A side of the picture measures { $got } px ({ $side ->
        [least] at least { $limit } px
       *[most] at most { $limit } px
    }).
    .remedy = { $side ->
        [least] Send the picture itself, not its small preview.
       *[most] Send the picture smaller.
    }

## Reasons: the device

reason-log-failed = The log cannot be written: the disk is full or write-protected.
    .remedy = Call whoever looks after the device. It answers again once the log can be written.
reason-self-test-failed = The device cannot begin: its program, model or configuration is damaged.
    .remedy = Call whoever looks after the device. The log says why.
reason-lights-failed = A light cannot be switched.
    .remedy = Trust the screen, not the lights, and have the lights repaired.
reason-stack-low = The device runs out of memory: { $got } bytes left (at least { $limit }).
    .remedy = Call whoever looks after the device.
reason-restarted = The device has started again by itself, { $got } in a row (at most { $limit }).
    .remedy = If it goes on, have the device repaired.

## Reasons: what the file says of the picture

reason-other-modality = The file says that this is not an X-ray.
    .remedy = Send a frontal chest X-ray.
reason-other-body-part = The file says that this is not a chest.
    .remedy = Send a frontal chest X-ray.
reason-not-frontal = The file says that this is not a frontal view.
    .remedy = Send the frontal view.
reason-other-age = The file says that the patient is { $got } old; the device is meant for { $side ->
        [least] at least { $limit }
       *[most] at most { $limit }
    }.
    .remedy = A person must look at the picture: the device is not meant for this patient.
reason-unused-bits = { $got } bits in { $limit }: the file does not say which of its values are black and which are white.
    .remedy = Export the picture as JPEG, or have the X-ray machine send its window (DICOM) with it.
reason-transparent = Every pixel of the picture is transparent.
    .remedy = Export the picture without transparency (alpha channel).
age-months = { $months ->
        [one] 1 month
       *[other] { $months } months
    }
age-years = { $years ->
        [one] 1 year
       *[other] { $years } years
    }
age-both = { $years } and { $months }

## Score, model, patients: on the terminal and on the screen

score = Score
score-told = Score { $score } ({ state-negative } below { $low }, { state-positive } above { $high }).
model-told = Model { $model }.
pictures = { $count ->
        [one] 1 picture
       *[other] { $count } pictures
    }
# What a picture says where what is shown stands for others
case-by-itself = by itself { $state }
cases-need-person = { $count ->
        [one] 1 more to look at: { $state } { $name }
       *[other] { $count } more to look at, the worst: { $state } { $name }
    }
cases-press-button = press the button
cases-to-come = { $count } to come
cases-needed-person = { $count ->
        [one] 1 since the start needed a person
       *[other] { $count } since the start needed a person
    }

## Screen: every page

page-now = Now
page-today = Today
page-figures = Figures
page-aim = Aim
language = Language
device-lost = The screen hears nothing from the device.
    .remedy = Trust the lights alone. If they are dark too, switch the device off and on.
pages = Pages
back = Back
no-page = There is no such page.
form-foreign = This form is too old, or it does not come from this screen. Go back and try again.
trouble = For whoever looks after the device
# Shown when the browser hears nothing more from the program that serves the page
page-lost = This page is no longer connected.
    .remedy = What it showed may be out of date. Look at the lights.

## Screen: now

heat-show = Show where the network looked
heat-hide = Show the picture alone
heat-note = This is what the network looked at, not where an illness is.
picture-none = No picture is shown.
what-to-do = What to do
patient = Patient
model = Model
intended-use = Intended use
picture-judged = The X-ray as it was judged
picture-other = The newest picture is another patient’s and is not shown here.
others-need-person = { $count ->
        [one] 1 other patient needs a person
       *[other] { $count } other patients need a person
    }
answer-changed = The answer has changed meanwhile. Look at it again.
not-passed-on = The device could not be told. Press its button, and call whoever looks after it.

## Screen: today

time = Time
answer = Answer
name = Name or number
acknowledge = Acknowledge
acknowledged = Acknowledged
today-none = No answers today.
today-camera = The device looks through a camera. Its answers are counted under { page-figures }.
turn-waiting = Waits for its turn
turn-now = Is shown now
turn-needs-person = Needs a person
turn-done = Was shown
earlier = Before the device last started
earlier-note = Names are not kept. The letters and digits stand for the name of a file.

## Screen: figures

day = Day
drift = Drift
faults = Faults
uptime = Running since
disk = Free disk space
export = Save as a table (CSV)
days-note = Days by the device’s clock (UTC)
shares = Shares
pictures-judged = Pictures
not-logged = Not logged
drift-none = Scores are as they were
drift-some = Scores have moved a little
drift-much = Scores have moved a lot: have the device checked
drift-unknown = Too few scores yet
log-unreadable = The log cannot be read.
damaged-lines = Damaged lines in the log:
busy = Somebody is saving this table just now. Try again in a minute.

## Screen: aim

aim-how = Move camera and light until every figure is good.
figure-elongation = Shape
figure-brightness = Brightness
figure-contrast = Contrast
figure-black = Black
figure-white = White
figure-sharpness = Sharpness
figure-layout = Chest by light and dark
figure-features = Chest by its details
figure-familiarity = Known kind of chest
figure-passes = good
figure-fails = not good

## Screen: who may look

sign-in = Sign in
sign-out = Sign out
pin = PIN of this site
pin-wrong = That is not the PIN.
pin-wait = Too many tries. Wait { $seconds } s.
