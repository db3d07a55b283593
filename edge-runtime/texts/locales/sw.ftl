### Kiswahili. Sentensi rahisi kwa wauguzi: kuna tatizo gani, kisha (.remedy) la kufanya.

notice = Kifaa hiki husaidia kuamua; si utambuzi wa ugonjwa. { state-negative } haimaanishi kwamba hakuna ugonjwa; { state-refer } na { state-invalid } humaanisha kwamba mtu lazima aangalie picha.

## States: as large as the screen allows, so short; no two alike at a glance

state-positive = CHANYA
state-negative = HASI
state-refer = IANGALIWE
state-invalid = HAIFAI
state-fault = HITILAFU
state-ready = TAYARI
ready-why = Inasubiri picha.
    .remedy = Taa zilizozimika hazimaanishi kamwe kwamba mtu ni mzima.

## Reasons: the network's answer

reason-above-threshold = Alama iko juu ya kiwango cha juu.
    .remedy = Mwombe daktari au tabibu amwangalie mgonjwa na picha.
reason-below-threshold = Alama iko chini ya kiwango cha chini.
    .remedy = Hii haimaanishi kwamba hakuna ugonjwa: fuata hali ya mgonjwa.
reason-between-thresholds = Alama iko kati ya viwango viwili.
    .remedy = Mtu lazima aangalie picha.
reason-unsettled = Picha za mwisho bado hazikubaliani: { $got } kati ya { $limit }.
    .remedy = Usisogeze picha.
reason-unacknowledged = { $got ->
        [one] Jibu moja linahitaji mtu, na hakuna aliyesema kwamba ameliona.
       *[other] Majibu { $got } yanahitaji mtu, na hakuna aliyesema kwamba ameyaona.
    }
    .remedy = Angalia picha, kisha onyesha kwa kila jibu kwamba umeliona.
reason-no-frontal-view = Hakuna picha ya mbele iliyofika ya uchunguzi huu.
    .remedy = Mtu lazima aangalie picha. Tuma picha ya mbele kama ipo.

## Reasons: the picture

reason-elongated = Umbo la picha si sahihi: upande mrefu ni mara { $got } ya upande mfupi (isizidi { $limit }).
    .remedy = Onyesha filamu nzima, bila kitu kingine kando yake.
reason-dark = Picha ina giza mno: mwangaza { $got } % (angalau { $limit } %).
    .remedy = Ongeza mwanga wa kisanduku cha mwanga au wa skrini. Kitu chochote kisizuie lenzi.
reason-bright = Picha ina mwanga mno: mwangaza { $got } % (isizidi { $limit } %).
    .remedy = Punguza mwanga wa kisanduku cha mwanga au wa skrini. Zuia taa na jua visiangaze filamu.
reason-low-contrast = Picha ni tupu au tofauti ya mwanga na giza ni ndogo mno: { $got } % (angalau { $limit } %).
    .remedy = Je, filamu ipo, na kisanduku cha mwanga kimewashwa? Epuka mng’ao.
reason-underexposed = Sehemu kubwa mno ya picha ni nyeusi: { $got } % (isizidi { $limit } %).
    .remedy = Filamu ijaze picha, na iangazwe yote.
reason-overexposed = Sehemu kubwa mno ya picha ni nyeupe: { $got } % (isizidi { $limit } %).
    .remedy = Filamu ijaze picha. Funika sehemu iliyo wazi ya kisanduku cha mwanga na epuka mng’ao.
reason-blurred = Picha haionekani vizuri: ukali { $got } (angalau { $limit }).
    .remedy = Rekebisha fokasi ya kamera, safisha lenzi na usisogeze picha.
reason-unlike-layout = Mwanga na giza si vya picha nzima ya eksirei ya kifua iliyo wima ({ $got }, angalau { $limit }).
    .remedy = Onyesha picha moja nzima ya eksirei ya kifua, ikiwa wima.
reason-unlike-features = Vipengele vidogo vya picha si vya eksirei nzima ya kifua iliyo wima ({ $got }, angalau { $limit }).
    .remedy = Onyesha picha moja nzima ya eksirei ya kifua, ikiwa wima.
reason-unfamiliar = Kifua hiki hakifanani na vile ambavyo modeli ilipimwa navyo ({ $got }, angalau { $limit }).
    .remedy = Mtu lazima aangalie picha.

## Reasons: the network

reason-not-finite = Mtandao haukutoa namba sahihi: modeli au programu imeharibika.
    .remedy = Zima kifaa kisha ukiwashe tena. Ikitokea tena, usikitumie; kitengenezwe.
reason-engine-failed = Hesabu ya mtandao imeshindikana.
    .remedy = Zima kifaa kisha ukiwashe tena. Ikitokea tena, usikitumie; kitengenezwe.

## Reasons: the camera or the folder

reason-starting = Inasubiri picha ya kwanza.
reason-camera-lost = Hakuna kamera, au hakuna folda ya picha.
    .remedy = Kagua kebo ya kamera.
reason-stale = Hakuna picha mpya kwa sekunde { $got } (zisizidi { $limit }): kamera haijibu.
    .remedy = Chomoa kamera kisha uichomeke tena.
reason-stuck = Kamera inarudia picha ile ile.
    .remedy = Zima kamera kisha uiwashe tena.
reason-no-signal = Kamera haina mawimbi ya picha.
    .remedy = Kagua chombo ambacho kamera imeunganishwa nacho, na kebo yake.
reason-damaged-frame = Picha imeharibika.
    .remedy = Kagua kebo ya kamera, au tuma faili tena.
reason-overrun = Kamera inatuma haraka kuliko kifaa kinavyoweza kupokea.
    .remedy = Mwombe msimamizi wa kifaa apunguze kasi ya kamera.
reason-unread-kind = Aina hii ya faili haisomwi.
    .remedy = Tuma picha moja peke yake, kama JPEG, PNG au DICOM isiyobanwa.
reason-wrong-size = Upande mmoja wa picha una urefu wa { $got } px ({ $side ->
        [least] angalau { $limit } px
       *[most] usiozidi { $limit } px
    }).
    .remedy = { $side ->
        [least] Tuma picha yenyewe, si nakala yake ndogo.
       *[most] Tuma picha iliyo ndogo zaidi.
    }

## Reasons: the device

reason-log-failed = Kumbukumbu haiwezi kuandikwa: diski imejaa au imezuiwa kuandikwa.
    .remedy = Mwite msimamizi wa kifaa. Kitajibu tena kumbukumbu ikiweza kuandikwa.
reason-self-test-failed = Kifaa hakiwezi kuanza: programu, modeli au mipangilio yake imeharibika.
    .remedy = Mwite msimamizi wa kifaa. Kumbukumbu inaeleza sababu.
reason-lights-failed = Kuna taa isiyoweza kuwashwa au kuzimwa.
    .remedy = Amini skrini, si taa; taa zitengenezwe.
reason-stack-low = Kifaa kinaishiwa kumbukumbu ya kufanyia kazi: baiti { $got } zimebaki (angalau { $limit }).
    .remedy = Mwite msimamizi wa kifaa.
reason-restarted = Kifaa kimejiwasha upya chenyewe, mara { $got } mfululizo (zisizidi { $limit }).
    .remedy = Ikiendelea, kifaa kitengenezwe.

## Reasons: what the file says of the picture

reason-other-modality = Faili inasema kwamba hii si picha ya eksirei.
    .remedy = Tuma eksirei ya kifua ya mbele.
reason-other-body-part = Faili inasema kwamba hiki si kifua.
    .remedy = Tuma eksirei ya kifua ya mbele.
reason-not-frontal = Faili inasema kwamba hii si picha ya mbele.
    .remedy = Tuma picha ya mbele.
reason-other-age = Faili inasema kwamba mgonjwa ana umri wa { $got }; kifaa kimekusudiwa umri { $side ->
        [least] usiopungua { $limit }
       *[most] usiozidi { $limit }
    }.
    .remedy = Mtu lazima aangalie picha: kifaa hakikukusudiwa mgonjwa huyu.
reason-unused-bits = Biti { $got } kati ya { $limit }: faili haisemi ni thamani zipi zilizo nyeusi na zipi zilizo nyeupe.
    .remedy = Hifadhi picha kama JPEG, au mashine ya eksirei itume dirisha lake (DICOM) pamoja na picha.
reason-transparent = Picha yote ina uwazi kamili, haionekani.
    .remedy = Hifadhi picha bila uwazi (alpha channel).
age-months = { $months ->
        [one] mwezi 1
       *[other] miezi { $months }
    }
age-years = { $years ->
        [one] mwaka 1
       *[other] miaka { $years }
    }
age-both = { $years } na { $months }

## Score, model, patients: on the terminal and on the screen

score = Alama
score-told = Alama { $score } ({ state-negative } chini ya { $low }, { state-positive } juu ya { $high }).
model-told = Modeli { $model }.
pictures = { $count ->
        [one] picha 1
       *[other] picha { $count }
    }
case-by-itself = peke yake { $state }
cases-need-person = { $count ->
        [one] 1 zaidi ya kuangalia: { $state } { $name }
       *[other] { $count } zaidi za kuangalia, mbaya zaidi: { $state } { $name }
    }
cases-press-button = bonyeza kitufe
cases-to-come = { $count ->
        [one] { $count } inakuja
       *[other] { $count } zinakuja
    }
cases-needed-person = { $count ->
        [one] 1 tangu kuwashwa ilihitaji mtu
       *[other] { $count } tangu kuwashwa zilihitaji mtu
    }

## Screen: every page

page-now = Sasa
page-today = Leo
page-figures = Takwimu
page-aim = Elekeza
language = Lugha
device-lost = Skrini haipati habari yoyote kutoka kwenye kifaa.
    .remedy = Amini taa pekee. Kama nazo zimezimika, zima kifaa kisha ukiwashe tena.
pages = Kurasa
back = Rudi
no-page = Hakuna ukurasa kama huo.
form-foreign = Fomu hii ni ya zamani mno, au haitoki kwenye skrini hii. Rudi nyuma ujaribu tena.
trouble = Kwa anayetunza kifaa
page-lost = Ukurasa huu umepoteza muunganisho.
    .remedy = Ulichoonyesha huenda si cha sasa. Tazama taa.

## Screen: now

heat-show = Onyesha mtandao ulipoangalia
heat-hide = Onyesha picha peke yake
heat-note = Hapa ndipo mtandao ulipoangalia, si mahali ugonjwa ulipo.
picture-none = Hakuna picha inayoonyeshwa.
what-to-do = La kufanya
patient = Mgonjwa
model = Modeli
intended-use = Matumizi yaliyokusudiwa
picture-judged = Picha ya eksirei kama ilivyopimwa
picture-other = Picha mpya zaidi ni ya mgonjwa mwingine na haionyeshwi hapa.
others-need-person = { $count ->
        [one] Mgonjwa mwingine { $count } anahitaji kuangaliwa na mtu
       *[other] Wagonjwa wengine { $count } wanahitaji kuangaliwa na mtu
    }
answer-changed = Jibu limebadilika. Liangalie tena.
not-passed-on = Kifaa hakikuweza kuarifiwa. Bonyeza kitufe chake, kisha mwite anayekitunza.

## Screen: today

time = Saa
answer = Jibu
name = Jina au namba
acknowledge = Nimeliona
acknowledged = Limeonwa
today-none = Hakuna majibu leo.
today-camera = Kifaa kinatazama kwa kamera. Majibu yake yanahesabiwa kwenye “{ page-figures }”.
turn-waiting = Linasubiri zamu yake
turn-now = Linaonyeshwa sasa
turn-needs-person = Linahitaji mtu aangalie
turn-done = Limeshaonyeshwa
earlier = Kabla ya kifaa kuwashwa mara ya mwisho
earlier-note = Majina hayahifadhiwi. Herufi na tarakimu zinawakilisha jina la faili.

## Screen: figures

day = Siku
drift = Mabadiliko ya polepole
faults = Hitilafu
uptime = Kinafanya kazi tangu
disk = Nafasi iliyobaki kwenye diski
export = Hifadhi kama jedwali (CSV)
days-note = Siku kwa saa ya kifaa (UTC)
shares = Mgawanyo
pictures-judged = Picha
not-logged = Hazikuandikwa
drift-none = Alama ni kama zilivyokuwa
drift-some = Alama zimebadilika kidogo
drift-much = Alama zimebadilika sana: kifaa kikaguliwe
drift-unknown = Alama bado ni chache mno
log-unreadable = Kumbukumbu haisomeki.
damaged-lines = Mistari iliyoharibika kwenye kumbukumbu:
busy = Kuna mtu anahifadhi jedwali hili sasa hivi. Jaribu tena baada ya dakika moja.

## Screen: aim

aim-how = Sogeza kamera na mwanga hadi kila kipimo kiwe sawa.
figure-elongation = Umbo
figure-brightness = Mwangaza
figure-contrast = Utofauti wa mwanga
figure-black = Nyeusi
figure-white = Nyeupe
figure-sharpness = Ukali
figure-layout = Kifua kwa mwanga na giza
figure-features = Kifua kwa vipengele vidogo
figure-familiarity = Aina ya kifua inayojulikana
figure-passes = sawa
figure-fails = si sawa

## Screen: who may look

sign-in = Ingia
sign-out = Toka
pin = PIN ya kituo hiki
pin-wrong = Hiyo si PIN sahihi.
pin-wait = Umejaribu mara nyingi mno. Subiri sekunde { $seconds }.
