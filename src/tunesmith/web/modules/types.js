/**
 * The values that the page's modules exchange.
 *
 * @typedef {import("../js/src/types.js").Job} Job
 * @typedef {import("../js/src/types.js").JobEvent} JobEvent
 * @typedef {import("../js/src/types.js").Track} Track
 * @typedef {import("../js/src/types.js").Model} Model
 * @typedef {import("../js/src/types.js").LoadedModel} LoadedModel
 * @typedef {import("../js/src/types.js").Explanation} Explanation
 * @typedef {import("../js/src/types.js").Understood} Understood
 * @typedef {import("../js/src/types.js").TrackNode} TrackNode
 *
 * @typedef {object} Draft what the user is about to ask for
 * @property {string} prompt
 * @property {string} model
 * @property {string} form "loop", "track", "sting", "bumper" or "bed"
 * @property {string} length as typed: "8 bars", "0:30", or empty for the usual length
 * @property {number} takes
 * @property {string} seed as typed; empty for a drawn one
 * @property {Fixed} fixed the answers that the user has locked or chosen
 * @property {Record<string, unknown>} more other fields of the piece that it is to be like, such as its mood
 * @property {string[]} without instruments to leave out
 * @property {Hit[]} hits
 * @property {Record<string, Record<string, string | boolean>>} settings by model, as typed: what its fields set
 *
 * @typedef {object} Fixed a request's fields that the user has decided; absent where the composer decides
 * @property {string} [genre]
 * @property {number} [tempo_bpm]
 * @property {string} [key]
 * @property {string} [meter]
 * @property {string[]} [instruments]
 *
 * @typedef {keyof Fixed} FixedField
 *
 * @typedef {Explanation & {sent: string}} Brief an explanation, and the prompt that it is of, as typed
 *
 * @typedef {object} Problem an error in words
 * @property {string} title what happened
 * @property {string} advice what to do, and what is safe
 * @property {string} [field] the field of the request that is at fault
 * @property {boolean} [needsToken]
 *
 * @typedef {object} Facts what is known of a take's music
 * @property {string} title
 * @property {string | null} key
 * @property {number | null} tempoBpm
 * @property {string | null} meter
 * @property {number | null} bars
 * @property {boolean} isLoop
 * @property {number | null} seed
 * @property {number} duration seconds
 * @property {number | null} loudnessLufs
 * @property {number | null} generateSeconds
 * @property {{name: string, start: number, end: number}[]} sections in seconds
 * @property {{start: number, end: number} | null} loopFrames in frames of the file; the end is exclusive
 * @property {number} sampleRate
 * @property {Licence} licence
 *
 * @typedef {Pick<Facts, "title" | "key" | "tempoBpm" | "meter" | "bars" | "duration" | "isLoop" | "sections">} Shape
 *
 * @typedef {import("../js/src/types.js").Score["chords"][number]} WrittenChord
 *
 * @typedef {Shape & {chords: WrittenChord[], barStarts: number[], isExact: boolean}} Written what the score says, in seconds;
 *   not exact where another version made the sound, and may have written other notes
 *
 * @typedef {object} Licence
 * @property {string} text
 * @property {boolean | null} commercialUse null if unknown
 * @property {string} terms
 * @property {string | null} attribution a line that must be shown
 *
 * @typedef {"sending" | "queued" | "loading" | "running" | "ready" | "failed"} TakeState
 *
 * @typedef {object} Take
 * @property {string} id of this page
 * @property {string} [key] its idempotency key: sent twice, as by a reload, it is made once
 * @property {string | null} job null until the server has it
 * @property {string | null} track its entry in the library; null until it is listed
 * @property {boolean} isLocal whether its sound is only in this page: a dropped file, or an edit
 * @property {boolean} isStarred
 * @property {Record<string, unknown>} request its fields, the prompt included
 * @property {TakeState} state
 * @property {number} progress 0 to 1
 * @property {string} stage
 * @property {number | null} position in the queue; 1 is next
 * @property {number | null} etaSeconds
 * @property {number | null} waitSeconds until it is sent again, while the server takes no more
 * @property {Facts | null} facts null until it is ready
 * @property {Written | null} written null until its score has arrived, and for music without one
 * @property {Understood | null} change what was understood of the words that changed another take into this one
 * @property {Problem | null} problem
 *
 * @typedef {object} Wish the line "Change it"
 * @property {string} words as typed
 * @property {Understood | null} understood what they would do to the take on the stage
 * @property {Problem | null} problem why they cannot
 * @property {boolean} isSending
 *
 * @typedef {object} Part the notes of one instrument
 * @property {string} name
 * @property {string} [instrument] in words
 * @property {boolean} isDrums
 * @property {Note[]} notes
 *
 * @typedef {object} Note
 * @property {number} start seconds
 * @property {number} length seconds
 * @property {number} pitch MIDI note number
 * @property {number} velocity 1 to 127
 *
 * @typedef {object} PartMix how a part is heard
 * @property {boolean} isMuted
 * @property {boolean} isSolo
 * @property {number} gainDb
 *
 * @typedef {Record<string, PartMix>} TakeMix by part; a part that is absent is heard as written
 *
 * @typedef {"loading" | "ready" | null} Loading of sounds that are asked for on demand; null before that
 *
 * @typedef {object} Hit a moment to accent
 * @property {number} time seconds
 * @property {boolean} [climax]
 *
 * @typedef {object} Pull a model that is being installed
 * @property {string} stage
 * @property {number} progress 0 to 1
 * @property {Problem | null} problem
 *
 * @typedef {object} Connection
 * @property {"connecting" | "open" | "lost" | "refused"} state refused: a token is missing or wrong
 * @property {number} retrySeconds until the next attempt, while lost
 * @property {string} version of the server; empty if unknown
 *
 * @typedef {object} LibraryQuery
 * @property {string} search
 * @property {"all" | "starred" | "loops"} filter
 *
 * @typedef {object} Shelf the tracks of the query, the newest first, as far as they are loaded
 * @property {number} total
 * @property {Record<number, Track[]>} pages by number
 *
 * @typedef {Pick<State, "takes" | "current" | "previous" | "region" | "heard" | "parts">} Aside
 *
 * @typedef {object} State everything that the page knows; only the store changes it
 * @property {Draft} draft
 * @property {Brief | null} brief what the composer would make of the draft
 * @property {Problem | null} askProblem why the draft cannot be made
 * @property {string[]} locks the decisions that variations keep
 * @property {Wish} wish what is to change about the take on the stage
 * @property {Take[]} takes
 * @property {Aside | null} aside the takes of before, until the server has taken the first of those that replace them
 * @property {string | null} current the take on the stage
 * @property {string | null} previous the take heard before, for A/B
 * @property {boolean} isPlaying
 * @property {boolean} isLooping
 * @property {{start: number, end: number} | null} region the loop in seconds; null is the whole take
 * @property {number} volume 0 to 1
 * @property {string[]} heard the takes whose sound has arrived
 * @property {Record<string, number>} arrived seconds of sound of the takes that were heard while they were made
 * @property {Record<string, Part[]>} parts by take
 * @property {Record<string, TakeMix>} mixes by take
 * @property {{url: string, name: string} | null} video
 * @property {Loading} stems
 * @property {Loading} layers
 * @property {number | null} intensity 0 to 1; null is the piece as written
 * @property {LibraryQuery} query
 * @property {Shelf} shelf
 * @property {Problem | null} notice what went wrong elsewhere: in the library, with a model, a download
 * @property {Model[]} models
 * @property {LoadedModel[]} loaded
 * @property {Record<string, Pull>} pulls by model
 * @property {Connection} connection
 * @property {string[]} recent prompts, the newest first
 * @property {string} announcement read out by screen readers
 * @property {"light" | "dark" | null} theme null follows the system
 * @property {boolean} hasLetterKeys whether single letters are shortcuts
 */

export {};
