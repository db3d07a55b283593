### Español. Frases sencillas para el personal de enfermería: qué pasa y (.remedy) qué hay que hacer.

notice = Este aparato ayuda a decidir; no hace un diagnóstico. { state-negative } no descarta la enfermedad; { state-refer } y { state-invalid } quieren decir que una persona debe mirar la imagen.

## States: as large as the screen allows, so short; no two alike at a glance

state-positive = POSITIVO
state-negative = NEGATIVO
state-refer = REVISAR
state-invalid = NO VÁLIDA
state-fault = FALLO
state-ready = LISTO
ready-why = Esperando una imagen.
    .remedy = Las luces apagadas nunca significan que alguien esté sano.

## Reasons: the network's answer

reason-above-threshold = La puntuación está por encima del umbral superior.
    .remedy = Pida a un clínico que examine al paciente y la imagen.
reason-below-threshold = La puntuación está por debajo del umbral inferior.
    .remedy = Esto no descarta la enfermedad: guíese por el estado del paciente.
reason-between-thresholds = La puntuación está entre los dos umbrales.
    .remedy = Una persona debe mirar la imagen.
reason-unsettled = Las últimas imágenes todavía no coinciden: { $got } de { $limit }.
    .remedy = No mueva la imagen.
reason-unacknowledged = { $got ->
        [one] Una respuesta necesita a una persona y nadie la ha marcado como vista.
       *[other] { $got } respuestas necesitan a una persona y nadie las ha marcado como vistas.
    }
    .remedy = Mire las imágenes y marque después cada respuesta como vista.
reason-no-frontal-view = No ha llegado ninguna vista frontal de este estudio.
    .remedy = Una persona debe mirar las imágenes. Envíe la vista frontal si la hay.

## Reasons: the picture

reason-elongated = La imagen no tiene la forma correcta: su lado largo mide { $got } veces el corto (como máximo { $limit }).
    .remedy = Muestre la placa entera y nada más.
reason-dark = La imagen está demasiado oscura: brillo { $got } % (como mínimo { $limit } %).
    .remedy = Suba la luz del negatoscopio o de la pantalla. No debe haber nada delante del objetivo.
reason-bright = La imagen está demasiado clara: brillo { $got } % (como máximo { $limit } %).
    .remedy = Baje la luz del negatoscopio o de la pantalla. Proteja la placa de lámparas y del sol.
reason-low-contrast = La imagen está vacía o tiene poco contraste: { $got } % (como mínimo { $limit } %).
    .remedy = ¿Hay una placa y está encendido el negatoscopio? Evite los reflejos.
reason-underexposed = Una parte demasiado grande de la imagen está negra: { $got } % (como máximo { $limit } %).
    .remedy = La placa debe llenar la imagen y estar iluminada por completo.
reason-overexposed = Una parte demasiado grande de la imagen está blanca: { $got } % (como máximo { $limit } %).
    .remedy = La placa debe llenar la imagen. Cubra la parte libre del negatoscopio y evite los reflejos.
reason-blurred = La imagen está borrosa: nitidez { $got } (como mínimo { $limit }).
    .remedy = Enfoque la cámara, limpie el objetivo y no mueva la imagen.
reason-unlike-layout = Las zonas claras y oscuras no son las de una radiografía de tórax entera y en posición vertical ({ $got }, como mínimo { $limit }).
    .remedy = Muestre una sola radiografía de tórax, entera y en posición vertical.
reason-unlike-features = Los detalles no son los de una radiografía de tórax entera y en posición vertical ({ $got }, como mínimo { $limit }).
    .remedy = Muestre una sola radiografía de tórax, entera y en posición vertical.
reason-unfamiliar = Este tórax no se parece a aquellos con los que se evaluó el modelo ({ $got }, como mínimo { $limit }).
    .remedy = Una persona debe mirar la imagen.

## Reasons: the network

reason-not-finite = La red no dio un número válido: el modelo o el programa está dañado.
    .remedy = Apague y encienda el aparato. Si se repite, no lo use y hágalo reparar.
reason-engine-failed = No se pudo calcular la red.
    .remedy = Apague y encienda el aparato. Si se repite, no lo use y hágalo reparar.

## Reasons: the camera or the folder

reason-starting = Esperando la primera imagen.
reason-camera-lost = No hay cámara o no hay carpeta de imágenes.
    .remedy = Revise el cable de la cámara.
reason-stale = Ninguna imagen nueva desde hace { $got } s (como máximo { $limit } s): la cámara no responde.
    .remedy = Desenchufe la cámara y vuelva a enchufarla.
reason-stuck = La cámara repite siempre la misma imagen.
    .remedy = Apague y encienda la cámara.
reason-no-signal = La cámara no tiene señal.
    .remedy = Revise el equipo al que está conectada la cámara y su cable.
reason-damaged-frame = La imagen está dañada.
    .remedy = Revise el cable de la cámara o envíe el archivo otra vez.
reason-overrun = La cámara envía más rápido de lo que el aparato puede recibir.
    .remedy = Pida al responsable del aparato que haga más lenta la cámara.
reason-unread-kind = Este tipo de archivo no se lee.
    .remedy = Envíe una sola imagen, en JPEG, PNG o DICOM sin comprimir.
reason-wrong-size = Un lado de la imagen mide { $got } px ({ $side ->
        [least] al menos { $limit } px
       *[most] { $limit } px como máximo
    }).
    .remedy = { $side ->
        [least] Envíe la imagen misma, no su miniatura.
       *[most] Envíe la imagen más pequeña.
    }

## Reasons: the device

reason-log-failed = No se puede escribir el registro: el disco está lleno o protegido contra escritura.
    .remedy = Llame al responsable del aparato. Volverá a responder cuando se pueda escribir el registro.
reason-self-test-failed = El aparato no puede empezar: su programa, su modelo o su configuración están dañados.
    .remedy = Llame al responsable del aparato. El registro dice por qué.
reason-lights-failed = Una luz no se puede encender o apagar.
    .remedy = Confíe en la pantalla, no en las luces, y haga reparar las luces.
reason-stack-low = El aparato se queda sin memoria: quedan { $got } bytes (como mínimo { $limit }).
    .remedy = Llame al responsable del aparato.
reason-restarted = El aparato se ha reiniciado solo, { $got } veces seguidas (como máximo { $limit }).
    .remedy = Si continúa, haga reparar el aparato.

## Reasons: what the file says of the picture

reason-other-modality = El archivo dice que esto no es una radiografía.
    .remedy = Envíe una radiografía frontal de tórax.
reason-other-body-part = El archivo dice que esto no es un tórax.
    .remedy = Envíe una radiografía frontal de tórax.
reason-not-frontal = El archivo dice que esta no es una vista frontal.
    .remedy = Envíe la vista frontal.
reason-other-age = El archivo dice que el paciente tiene { $got }; el aparato está pensado para { $side ->
        [least] al menos { $limit }
       *[most] { $limit } como máximo
    }.
    .remedy = Una persona debe mirar la imagen: el aparato no está pensado para este paciente.
reason-unused-bits = { $got } bits de { $limit }: el archivo no dice cuáles de sus valores son negro y cuáles son blanco.
    .remedy = Exporte la imagen en JPEG, o haga que el equipo de rayos X envíe con ella su ventana (DICOM).
reason-transparent = Todos los píxeles de la imagen son transparentes.
    .remedy = Exporte la imagen sin transparencia (canal alfa).
age-months = { $months ->
        [one] 1 mes
       *[other] { $months } meses
    }
age-years = { $years ->
        [one] 1 año
       *[other] { $years } años
    }
age-both = { $years } y { $months }

## Score, model, patients: on the terminal and on the screen

score = Puntuación
score-told = Puntuación { $score } ({ state-negative } por debajo de { $low }, { state-positive } por encima de { $high }).
model-told = Modelo { $model }.
pictures = { $count ->
        [one] 1 imagen
       *[other] { $count } imágenes
    }
case-by-itself = por sí sola { $state }
cases-need-person = { $count ->
        [one] 1 más por mirar: { $state } { $name }
       *[other] { $count } más por mirar, la peor: { $state } { $name }
    }
cases-press-button = pulse el botón
cases-to-come = { $count } por venir
cases-needed-person = { $count ->
        [one] 1 desde el arranque necesitó a una persona
       *[other] { $count } desde el arranque necesitaron a una persona
    }

## Screen: every page

page-now = Ahora
page-today = Hoy
page-figures = Cifras
page-aim = Encuadre
language = Idioma
device-lost = La pantalla no recibe nada del aparato.
    .remedy = Confíe solo en las luces. Si también están apagadas, apague y encienda el aparato.
pages = Páginas
back = Volver
no-page = Esa página no existe.
form-foreign = Este formulario es demasiado antiguo o no viene de esta pantalla. Vuelva atrás e inténtelo de nuevo.
trouble = Para quien se ocupa del aparato
page-lost = Esta página ya no está conectada.
    .remedy = Lo que mostraba puede no ser válido. Mire las luces.

## Screen: now

heat-show = Mostrar dónde miró la red
heat-hide = Mostrar solo la imagen
heat-note = Esto es lo que la red miró, no el lugar de una enfermedad.
picture-none = No se muestra ninguna imagen.
what-to-do = Qué hacer
patient = Paciente
model = Modelo
intended-use = Uso previsto
picture-judged = La radiografía tal como se evaluó
picture-other = La última imagen es de otro paciente y no se muestra aquí.
others-need-person = { $count ->
        [one] Otro paciente necesita que lo vea una persona
       *[other] Otros { $count } pacientes necesitan que los vea una persona
    }
answer-changed = La respuesta ha cambiado entretanto. Mírela de nuevo.
not-passed-on = No se pudo avisar al aparato. Pulse su botón y llame a quien se ocupa de él.

## Screen: today

time = Hora
answer = Respuesta
name = Nombre o número
acknowledge = Marcar como vista
acknowledged = Vista
today-none = Ninguna respuesta hoy.
today-camera = El aparato mira por una cámara. Sus respuestas se cuentan en «{ page-figures }».
turn-waiting = Espera su turno
turn-now = Se muestra ahora
turn-needs-person = Debe verla una persona
turn-done = Ya se mostró
earlier = Antes del último arranque del aparato
earlier-note = Los nombres no se guardan. Las letras y cifras representan el nombre de un archivo.

## Screen: figures

day = Día
drift = Desviación
faults = Fallos
uptime = En marcha desde
disk = Espacio libre en el disco
export = Guardar como tabla (CSV)
days-note = Días según el reloj del aparato (UTC)
shares = Proporciones
pictures-judged = Imágenes
not-logged = Sin registrar
drift-none = Las puntuaciones siguen como antes
drift-some = Las puntuaciones han cambiado un poco
drift-much = Las puntuaciones han cambiado mucho: haga revisar el aparato
drift-unknown = Todavía hay muy pocas puntuaciones
log-unreadable = No se puede leer el registro.
damaged-lines = Líneas dañadas en el registro:
busy = Alguien está guardando esta tabla ahora mismo. Inténtelo de nuevo en un minuto.

## Screen: aim

aim-how = Mueva la cámara y la luz hasta que cada valor esté bien.
figure-elongation = Forma
figure-brightness = Brillo
figure-contrast = Contraste
figure-black = Negro
figure-white = Blanco
figure-sharpness = Nitidez
figure-layout = Tórax por claro y oscuro
figure-features = Tórax por los detalles
figure-familiarity = Tipo de tórax conocido
figure-passes = bien
figure-fails = por corregir

## Screen: who may look

sign-in = Entrar
sign-out = Salir
pin = PIN de este centro
pin-wrong = Ese no es el PIN.
pin-wait = Demasiados intentos. Espere { $seconds } s.
