### Français. Phrases simples pour les infirmiers : ce qui se passe, puis (.remedy) ce qu’il faut faire.
### Les espaces devant « : » et « % » sont insécables.

notice = Cet appareil aide à décider ; il ne pose pas de diagnostic. { state-negative } n’exclut pas la maladie ; { state-refer } et { state-invalid } veulent dire qu’une personne doit regarder l’image.

## States: as large as the screen allows, so short; no two alike at a glance

state-positive = POSITIF
state-negative = NÉGATIF
state-refer = À EXAMINER
state-invalid = NON VALIDE
state-fault = PANNE
state-ready = PRÊT
ready-why = En attente d’une image.
    .remedy = Des voyants éteints ne veulent jamais dire que quelqu’un est en bonne santé.

## Reasons: the network's answer

reason-above-threshold = Le score est au-dessus du seuil supérieur.
    .remedy = Faites examiner le patient et l’image par un clinicien.
reason-below-threshold = Le score est au-dessous du seuil inférieur.
    .remedy = Cela n’exclut pas la maladie : fiez-vous à l’état du patient.
reason-between-thresholds = Le score est entre les deux seuils.
    .remedy = Une personne doit regarder l’image.
reason-unsettled = Les dernières images ne concordent pas encore : { $got } sur { $limit }.
    .remedy = Ne bougez pas l’image.
reason-unacknowledged = { $got ->
        [one] Une réponse attend que quelqu’un la regarde et la marque comme vue.
       *[other] { $got } réponses attendent que quelqu’un les regarde et les marque comme vues.
    }
    .remedy = Regardez les images, puis marquez chaque réponse comme vue.
reason-no-frontal-view = Aucune vue de face de cet examen n’est arrivée.
    .remedy = Une personne doit regarder les images. Envoyez la vue de face s’il y en a une.

## Reasons: the picture

reason-elongated = L’image n’a pas la bonne forme : son grand côté fait { $got } fois le petit (au plus { $limit }).
    .remedy = Montrez le film entier, et rien d’autre.
reason-dark = L’image est trop sombre : luminosité { $got } % (au moins { $limit } %).
    .remedy = Augmentez la lumière du négatoscope ou de l’écran. Rien ne doit se trouver devant l’objectif.
reason-bright = L’image est trop claire : luminosité { $got } % (au plus { $limit } %).
    .remedy = Baissez la lumière du négatoscope ou de l’écran. Protégez le film des lampes et du soleil.
reason-low-contrast = L’image est vide ou manque de contraste : { $got } % (au moins { $limit } %).
    .remedy = Y a-t-il un film, et le négatoscope est-il allumé ? Évitez les reflets.
reason-underexposed = Une trop grande partie de l’image est noire : { $got } % (au plus { $limit } %).
    .remedy = Le film doit remplir l’image et être éclairé partout.
reason-overexposed = Une trop grande partie de l’image est blanche : { $got } % (au plus { $limit } %).
    .remedy = Le film doit remplir l’image. Couvrez la partie libre du négatoscope et évitez les reflets.
reason-blurred = L’image est floue : netteté { $got } (au moins { $limit }).
    .remedy = Réglez la mise au point, nettoyez l’objectif et ne bougez pas l’image.
reason-unlike-layout = Les zones claires et sombres ne sont pas celles d’une radiographie du thorax entière et à l’endroit ({ $got }, au moins { $limit }).
    .remedy = Montrez une seule radiographie du thorax, entière et à l’endroit.
reason-unlike-features = Les détails ne sont pas ceux d’une radiographie du thorax entière et à l’endroit ({ $got }, au moins { $limit }).
    .remedy = Montrez une seule radiographie du thorax, entière et à l’endroit.
reason-unfamiliar = Ce thorax ne ressemble pas à ceux sur lesquels le modèle a été évalué ({ $got }, au moins { $limit }).
    .remedy = Une personne doit regarder l’image.

## Reasons: the network

reason-not-finite = Le réseau n’a pas donné de nombre valable : le modèle ou le programme est endommagé.
    .remedy = Éteignez puis rallumez l’appareil. Si cela se répète, ne l’utilisez plus et faites-le réparer.
reason-engine-failed = Le calcul du réseau a échoué.
    .remedy = Éteignez puis rallumez l’appareil. Si cela se répète, ne l’utilisez plus et faites-le réparer.

## Reasons: the camera or the folder

reason-starting = En attente de la première image.
reason-camera-lost = Il n’y a pas de caméra, ou pas de dossier d’images.
    .remedy = Vérifiez le câble de la caméra.
reason-stale = Aucune nouvelle image depuis { $got } s ({ $limit } s au plus) : la caméra ne répond plus.
    .remedy = Débranchez puis rebranchez la caméra.
reason-stuck = La caméra répète toujours la même image.
    .remedy = Éteignez puis rallumez la caméra.
reason-no-signal = La caméra n’a pas de signal.
    .remedy = Vérifiez l’appareil auquel la caméra est reliée et son câble.
reason-damaged-frame = L’image est abîmée.
    .remedy = Vérifiez le câble de la caméra, ou renvoyez le fichier.
reason-overrun = La caméra envoie les images trop vite pour l’appareil.
    .remedy = Demandez au responsable de l’appareil de ralentir la caméra.
reason-unread-kind = Ce type de fichier n’est pas lu.
    .remedy = Envoyez une seule image, en JPEG, PNG ou DICOM non compressé.
reason-wrong-size = Un côté de l’image mesure { $got } px ({ $side ->
        [least] au moins { $limit } px
       *[most] au plus { $limit } px
    }).
    .remedy = { $side ->
        [least] Envoyez l’image elle-même, pas sa vignette.
       *[most] Envoyez l’image en plus petit.
    }

## Reasons: the device

reason-log-failed = Le journal ne peut pas être écrit : le disque est plein ou protégé en écriture.
    .remedy = Appelez le responsable de l’appareil. Les réponses reviendront dès que le journal pourra être écrit.
reason-self-test-failed = L’appareil ne peut pas démarrer : le programme, le modèle ou la configuration est endommagé.
    .remedy = Appelez le responsable de l’appareil. Le journal en donne la raison.
reason-lights-failed = Un voyant ne peut pas être commandé.
    .remedy = Fiez-vous à l’écran, pas aux voyants, et faites réparer les voyants.
reason-stack-low = L’appareil manque de mémoire : il reste { $got } octets (au moins { $limit }).
    .remedy = Appelez le responsable de l’appareil.
reason-restarted = L’appareil a redémarré tout seul, { $got } fois de suite (au plus { $limit }).
    .remedy = Si cela continue, faites réparer l’appareil.

## Reasons: what the file says of the picture

reason-other-modality = D’après le fichier, ce n’est pas une radiographie.
    .remedy = Envoyez une radiographie du thorax de face.
reason-other-body-part = D’après le fichier, ce n’est pas un thorax.
    .remedy = Envoyez une radiographie du thorax de face.
reason-not-frontal = D’après le fichier, ce n’est pas une vue de face.
    .remedy = Envoyez la vue de face.
reason-other-age = D’après le fichier, le patient a { $got } ; l’appareil est prévu pour { $side ->
        [least] au moins { $limit }
       *[most] au plus { $limit }
    }.
    .remedy = Une personne doit regarder l’image : l’appareil n’est pas prévu pour ce patient.
reason-unused-bits = { $got } bits sur { $limit } : le fichier ne dit pas lesquelles de ses valeurs sont le noir et le blanc.
    .remedy = Exportez l’image en JPEG, ou faites envoyer par l’appareil de radiographie sa fenêtre (DICOM) avec elle.
reason-transparent = Tous les pixels de l’image sont transparents.
    .remedy = Exportez l’image sans transparence (canal alpha).
age-months = { $months } mois
age-years = { $years ->
        [one] { $years } an
       *[other] { $years } ans
    }
age-both = { $years } et { $months }

## Score, model, patients: on the terminal and on the screen

score = Score
score-told = Score { $score } ({ state-negative } au-dessous de { $low }, { state-positive } au-dessus de { $high }).
model-told = Modèle { $model }.
pictures = { $count ->
        [one] { $count } image
       *[other] { $count } images
    }
case-by-itself = à elle seule { $state }
cases-need-person = { $count ->
        [one] encore { $count } à regarder : { $state } { $name }
       *[other] encore { $count } à regarder, dont le plus grave : { $state } { $name }
    }
cases-press-button = appuyez sur le bouton
cases-to-come = { $count } à venir
cases-needed-person = { $count ->
        [one] { $count } depuis le démarrage a nécessité l’avis d’une personne
       *[other] { $count } depuis le démarrage ont nécessité l’avis d’une personne
    }

## Screen: every page

page-now = Maintenant
page-today = Aujourd’hui
page-figures = Chiffres
page-aim = Cadrage
language = Langue
device-lost = L’écran ne reçoit plus rien de l’appareil.
    .remedy = Ne vous fiez qu’aux voyants. S’ils sont éteints aussi, éteignez puis rallumez l’appareil.
pages = Pages
back = Retour
no-page = Cette page n’existe pas.
form-foreign = Ce formulaire est trop ancien, ou ne vient pas de cet écran. Revenez en arrière et réessayez.
trouble = Pour la personne qui s’occupe de l’appareil
page-lost = Cette page n’est plus connectée.
    .remedy = Ce qu’elle montrait n’est peut-être plus valable. Regardez les voyants.

## Screen: now

heat-show = Montrer où le réseau a regardé
heat-hide = Montrer l’image seule
heat-note = C’est ce que le réseau a regardé, pas l’endroit d’une maladie.
picture-none = Aucune image n’est affichée.
what-to-do = Que faire
patient = Patient
model = Modèle
intended-use = Usage prévu
picture-judged = La radiographie telle qu’elle a été jugée
picture-other = La dernière image est celle d’un autre patient et n’est pas affichée ici.
others-need-person = { $count ->
        [one] { $count } autre patient doit être vu par une personne
       *[other] { $count } autres patients doivent être vus par une personne
    }
answer-changed = La réponse a changé entre-temps. Regardez-la de nouveau.
not-passed-on = L’appareil n’a pas pu être averti. Appuyez sur son bouton et appelez la personne qui s’en occupe.

## Screen: today

time = Heure
answer = Réponse
name = Nom ou numéro
acknowledge = Marquer comme vue
acknowledged = Vue
today-none = Aucune réponse aujourd’hui.
today-camera = L’appareil regarde par une caméra. Ses réponses sont comptées sous « { page-figures } ».
turn-waiting = Attend son tour
turn-now = Affichée maintenant
turn-needs-person = Une personne doit regarder
turn-done = A été affichée
earlier = Avant le dernier démarrage de l’appareil
earlier-note = Les noms ne sont pas gardés. Les lettres et chiffres remplacent le nom d’un fichier.

## Screen: figures

day = Jour
drift = Dérive
faults = Pannes
uptime = En marche depuis
disk = Espace libre sur le disque
export = Enregistrer en tableau (CSV)
days-note = Jours selon l’horloge de l’appareil (UTC)
shares = Répartition
pictures-judged = Images
not-logged = Non enregistrées
drift-none = Les scores sont comme avant
drift-some = Les scores ont un peu changé
drift-much = Les scores ont beaucoup changé : faites vérifier l’appareil
drift-unknown = Encore trop peu de scores
log-unreadable = Le journal ne peut pas être lu.
damaged-lines = Lignes abîmées dans le journal :
busy = Quelqu’un enregistre ce tableau en ce moment. Réessayez dans une minute.

## Screen: aim

aim-how = Déplacez la caméra et la lumière jusqu’à ce que chaque valeur soit bonne.
figure-elongation = Forme
figure-brightness = Luminosité
figure-contrast = Contraste
figure-black = Noir
figure-white = Blanc
figure-sharpness = Netteté
figure-layout = Thorax d’après le clair et le sombre
figure-features = Thorax d’après les détails
figure-familiarity = Type de thorax connu
figure-passes = bon
figure-fails = à corriger

## Screen: who may look

sign-in = Se connecter
sign-out = Se déconnecter
pin = Code PIN de ce centre
pin-wrong = Ce n’est pas le code PIN.
pin-wait = Trop d’essais. Attendez { $seconds } s.
