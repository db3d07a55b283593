### Português. Frases simples para o pessoal de enfermagem: o que se passa e (.remedy) o que fazer.

notice = Este aparelho ajuda a decidir; não faz um diagnóstico. { state-negative } não exclui a doença; { state-refer } e { state-invalid } querem dizer que uma pessoa deve ver a imagem.

## States: as large as the screen allows, so short; no two alike at a glance

state-positive = POSITIVO
state-negative = NEGATIVO
state-refer = REVER
state-invalid = INVÁLIDA
state-fault = FALHA
state-ready = PRONTO
ready-why = À espera de uma imagem.
    .remedy = Luzes apagadas nunca querem dizer que alguém está saudável.

## Reasons: the network's answer

reason-above-threshold = A pontuação está acima do limiar superior.
    .remedy = Peça a um clínico que examine o paciente e a imagem.
reason-below-threshold = A pontuação está abaixo do limiar inferior.
    .remedy = Isto não exclui a doença: guie-se pelo estado do paciente.
reason-between-thresholds = A pontuação está entre os dois limiares.
    .remedy = Uma pessoa deve ver a imagem.
reason-unsettled = As últimas imagens ainda não concordam: { $got } de { $limit }.
    .remedy = Não mexa na imagem.
reason-unacknowledged = { $got ->
        [one] Uma resposta precisa de uma pessoa e ninguém a marcou como vista.
       *[other] { $got } respostas precisam de uma pessoa e ninguém as marcou como vistas.
    }
    .remedy = Veja as imagens e depois marque cada resposta como vista.
reason-no-frontal-view = Não chegou nenhuma vista frontal deste exame.
    .remedy = Uma pessoa deve ver as imagens. Envie a vista frontal, se houver.

## Reasons: the picture

reason-elongated = A imagem não tem a forma certa: o lado maior tem { $got } vezes o menor (no máximo { $limit }).
    .remedy = Mostre a película inteira e nada mais.
reason-dark = A imagem está escura demais: brilho { $got } % (no mínimo { $limit } %).
    .remedy = Aumente a luz do negatoscópio ou do ecrã. Não deve haver nada à frente da lente.
reason-bright = A imagem está clara demais: brilho { $got } % (no máximo { $limit } %).
    .remedy = Diminua a luz do negatoscópio ou do ecrã. Proteja a película de lâmpadas e do sol.
reason-low-contrast = A imagem está vazia ou tem pouco contraste: { $got } % (no mínimo { $limit } %).
    .remedy = Há uma película, e o negatoscópio está aceso? Evite reflexos.
reason-underexposed = Uma parte grande demais da imagem está preta: { $got } % (no máximo { $limit } %).
    .remedy = A película deve preencher a imagem e estar toda iluminada.
reason-overexposed = Uma parte grande demais da imagem está branca: { $got } % (no máximo { $limit } %).
    .remedy = A película deve preencher a imagem. Cubra a parte livre do negatoscópio e evite reflexos.
reason-blurred = A imagem está desfocada: nitidez { $got } (no mínimo { $limit }).
    .remedy = Foque a câmara, limpe a lente e não mexa na imagem.
reason-unlike-layout = As zonas claras e escuras não são as de uma radiografia do tórax inteira e na posição vertical ({ $got }, no mínimo { $limit }).
    .remedy = Mostre uma só radiografia do tórax, inteira e na posição vertical.
reason-unlike-features = Os pormenores não são os de uma radiografia do tórax inteira e na posição vertical ({ $got }, no mínimo { $limit }).
    .remedy = Mostre uma só radiografia do tórax, inteira e na posição vertical.
reason-unfamiliar = Este tórax não é parecido com aqueles em que o modelo foi avaliado ({ $got }, no mínimo { $limit }).
    .remedy = Uma pessoa deve ver a imagem.

## Reasons: the network

reason-not-finite = A rede não deu um número válido: o modelo ou o programa está danificado.
    .remedy = Desligue e volte a ligar o aparelho. Se isto se repetir, não o use e mande repará-lo.
reason-engine-failed = Não foi possível calcular a rede.
    .remedy = Desligue e volte a ligar o aparelho. Se isto se repetir, não o use e mande repará-lo.

## Reasons: the camera or the folder

reason-starting = À espera da primeira imagem.
reason-camera-lost = Não há câmara ou não há pasta de imagens.
    .remedy = Verifique o cabo da câmara.
reason-stale = Nenhuma imagem nova há { $got } s (no máximo { $limit } s): a câmara não responde.
    .remedy = Desligue a câmara da tomada ou do cabo e ligue-a de novo.
reason-stuck = A câmara repete sempre a mesma imagem.
    .remedy = Desligue e volte a ligar a câmara.
reason-no-signal = A câmara não tem sinal.
    .remedy = Verifique o equipamento a que a câmara está ligada e o cabo.
reason-damaged-frame = A imagem está danificada.
    .remedy = Verifique o cabo da câmara ou envie o ficheiro outra vez.
reason-overrun = A câmara envia mais depressa do que o aparelho consegue receber.
    .remedy = Peça ao responsável pelo aparelho que torne a câmara mais lenta.
reason-unread-kind = Este tipo de ficheiro não é lido.
    .remedy = Envie uma só imagem, em JPEG, PNG ou DICOM sem compressão.
reason-wrong-size = Um lado da imagem mede { $got } px ({ $side ->
        [least] pelo menos { $limit } px
       *[most] { $limit } px no máximo
    }).
    .remedy = { $side ->
        [least] Envie a própria imagem, não a sua miniatura.
       *[most] Envie a imagem mais pequena.
    }

## Reasons: the device

reason-log-failed = Não é possível escrever o registo: o disco está cheio ou protegido contra escrita.
    .remedy = Chame o responsável pelo aparelho. Ele volta a responder quando o registo puder ser escrito.
reason-self-test-failed = O aparelho não pode começar: o programa, o modelo ou a configuração está danificado.
    .remedy = Chame o responsável pelo aparelho. O registo diz porquê.
reason-lights-failed = Uma luz não acende ou não apaga.
    .remedy = Confie no ecrã, não nas luzes, e mande reparar as luzes.
reason-stack-low = O aparelho está a ficar sem memória: restam { $got } bytes (no mínimo { $limit }).
    .remedy = Chame o responsável pelo aparelho.
reason-restarted = O aparelho reiniciou sozinho, { $got } vezes seguidas (no máximo { $limit }).
    .remedy = Se continuar, mande reparar o aparelho.

## Reasons: what the file says of the picture

reason-other-modality = O ficheiro diz que isto não é uma radiografia.
    .remedy = Envie uma radiografia frontal do tórax.
reason-other-body-part = O ficheiro diz que isto não é um tórax.
    .remedy = Envie uma radiografia frontal do tórax.
reason-not-frontal = O ficheiro diz que esta não é uma vista frontal.
    .remedy = Envie a vista frontal.
reason-other-age = O ficheiro diz que o paciente tem { $got }; o aparelho destina-se a pacientes com { $side ->
        [least] pelo menos { $limit }
       *[most] { $limit } no máximo
    }.
    .remedy = Uma pessoa deve ver a imagem: o aparelho não se destina a este paciente.
reason-unused-bits = { $got } bits de { $limit }: o ficheiro não diz quais dos seus valores são preto e quais são branco.
    .remedy = Exporte a imagem em JPEG, ou faça com que o equipamento de raios X envie com ela a sua janela (DICOM).
reason-transparent = Todos os píxeis da imagem são transparentes.
    .remedy = Exporte a imagem sem transparência (canal alfa).
age-months = { $months ->
        [one] { $months } mês
       *[other] { $months } meses
    }
age-years = { $years ->
        [one] { $years } ano
       *[other] { $years } anos
    }
age-both = { $years } e { $months }

## Score, model, patients: on the terminal and on the screen

score = Pontuação
score-told = Pontuação { $score } ({ state-negative } abaixo de { $low }, { state-positive } acima de { $high }).
model-told = Modelo { $model }.
pictures = { $count ->
        [one] { $count } imagem
       *[other] { $count } imagens
    }
case-by-itself = por si só { $state }
cases-need-person = { $count ->
        [one] mais { $count } por ver: { $state } { $name }
       *[other] mais { $count } por ver, a pior: { $state } { $name }
    }
cases-press-button = carregue no botão
cases-to-come = { $count } por vir
cases-needed-person = { $count ->
        [one] { $count } desde o arranque precisou de uma pessoa
       *[other] { $count } desde o arranque precisaram de uma pessoa
    }

## Screen: every page

page-now = Agora
page-today = Hoje
page-figures = Números
page-aim = Enquadrar
language = Idioma
device-lost = O ecrã não recebe nada do aparelho.
    .remedy = Confie apenas nas luzes. Se também estiverem apagadas, desligue e volte a ligar o aparelho.
pages = Páginas
back = Voltar
no-page = Essa página não existe.
form-foreign = Este formulário é antigo demais ou não vem deste ecrã. Volte atrás e tente de novo.
trouble = Para quem cuida do aparelho
page-lost = Esta página já não está ligada.
    .remedy = O que ela mostrava pode já não valer. Olhe para as luzes.

## Screen: now

heat-show = Mostrar para onde a rede olhou
heat-hide = Mostrar só a imagem
heat-note = Isto é o que a rede observou, não o lugar de uma doença.
picture-none = Nenhuma imagem é mostrada.
what-to-do = O que fazer
patient = Paciente
model = Modelo
intended-use = Utilização prevista
picture-judged = A radiografia tal como foi avaliada
picture-other = A imagem mais recente é de outro paciente e não é mostrada aqui.
others-need-person = { $count ->
        [one] Mais { $count } paciente precisa de ser visto por uma pessoa
       *[other] Mais { $count } pacientes precisam de ser vistos por uma pessoa
    }
answer-changed = A resposta mudou entretanto. Veja-a de novo.
not-passed-on = Não foi possível avisar o aparelho. Carregue no botão dele e chame quem cuida dele.

## Screen: today

time = Hora
answer = Resposta
name = Nome ou número
acknowledge = Marcar como vista
acknowledged = Vista
today-none = Nenhuma resposta hoje.
today-camera = O aparelho olha por uma câmara. As respostas são contadas em «{ page-figures }».
turn-waiting = Espera a sua vez
turn-now = Está a ser mostrada
turn-needs-person = Uma pessoa tem de a ver
turn-done = Já foi mostrada
earlier = Antes do último arranque do aparelho
earlier-note = Os nomes não são guardados. As letras e os números representam o nome de um ficheiro.

## Screen: figures

day = Dia
drift = Desvio
faults = Falhas
uptime = Em funcionamento desde
disk = Espaço livre no disco
export = Guardar como tabela (CSV)
days-note = Dias pelo relógio do aparelho (UTC)
shares = Proporções
pictures-judged = Imagens
not-logged = Não registadas
drift-none = As pontuações estão como antes
drift-some = As pontuações mudaram um pouco
drift-much = As pontuações mudaram muito: mande verificar o aparelho
drift-unknown = Ainda há poucas pontuações
log-unreadable = O registo não pode ser lido.
damaged-lines = Linhas danificadas no registo:
busy = Alguém está a guardar esta tabela agora. Tente de novo daqui a um minuto.

## Screen: aim

aim-how = Mova a câmara e a luz até que cada valor esteja bom.
figure-elongation = Forma
figure-brightness = Brilho
figure-contrast = Contraste
figure-black = Preto
figure-white = Branco
figure-sharpness = Nitidez
figure-layout = Tórax por claro e escuro
figure-features = Tórax pelos pormenores
figure-familiarity = Tipo de tórax conhecido
figure-passes = bom
figure-fails = a corrigir

## Screen: who may look

sign-in = Entrar
sign-out = Sair
pin = PIN deste centro
pin-wrong = Esse não é o PIN.
pin-wait = Demasiadas tentativas. Espere { $seconds } s.
