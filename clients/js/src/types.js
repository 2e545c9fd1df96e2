/**
 * The JSON documents of the HTTP API. Durations are in seconds, times in UTC.
 *
 * @typedef {string | Uint8Array | ArrayBuffer | Blob} Recording a URL, or the content of an audio file
 *
 * @typedef {object} KnownFields
 * @property {string} [model]
 * @property {number} [duration] seconds
 * @property {number} [seed] -1, null or none: the server draws one
 * @property {string} [format] wav, flac, mp3, ogg, opus; mid, zip (stems) and layers from the composer
 * @property {string} [genre]
 * @property {number} [bpm] or tempo, or tempo_bpm
 * @property {string} [key]
 * @property {boolean} [loop]
 * @property {string} [negative_prompt]
 * @property {Recording} [melody] a melody to follow
 * @property {Recording} [audio] music to continue
 * @property {boolean} [perform] compose, and let a model that plays notes perform it
 * @property {number} [performances] how many to make, of which the best is kept
 * @property {Recording} [score] a score document as text, or the content of a score or MIDI file
 * @property {boolean} [commercial_safe] refuse what its licence does not allow to be used commercially
 * @property {boolean} [revenue_below_limit] accept, with commercial_safe, what is free below a revenue limit
 *
 * @typedef {KnownFields & Record<string, unknown>} GenerationFields the fields of a request for music, see docs/http-api.md
 *
 * @typedef {{prompt?: string, n?: number} & GenerationFields} Change what to change about a track, in words and fields
 *
 * @typedef {object} Understood what is understood of a change
 * @property {{field: string, before: string, after: string, because: string, source: "words" | "setting" | "follows"}[]} changes
 * @property {string[]} not_understood words that nothing explains
 * @property {string[]} notes what is understood and cannot be done
 *
 * @typedef {object} ScoreEdits edits of a score, see docs/http-api.md
 * @property {Record<number, string>} [chords] by bar, from 1: `{ 5: "Fm7", 6: "C:2 G7:2" }`
 * @property {(string | {name: string, bars: number})[]} [sections] in the order in which they sound
 * @property {number} [transpose] semitones from where the piece was written
 *
 * @typedef {object} TrackNode a track in the tree of its variations
 * @property {string} id
 * @property {string} prompt
 * @property {number | null} seed
 * @property {string} changed what it changes of its parent, in words
 * @property {TrackNode[]} children
 *
 * @typedef {"queued" | "loading" | "running" | "succeeded" | "failed" | "canceled"} JobState
 *
 * @typedef {object} JobEvent the fields of a job that change as it advances
 * @property {string} id
 * @property {JobState} state
 * @property {number} progress from 0 to 1
 * @property {string} stage
 * @property {number | null} position in the queue of its model; 1 is next
 * @property {number | null} wait_seconds estimated until it starts; null if unknown
 * @property {number | null} eta_seconds estimated until its end; null if unknown
 *
 * @typedef {object} LicenceTerms what a licence says of commercial use
 * @property {boolean | null} commercial_use true only if it is allowed whatever the revenue; null if unknown
 * @property {'allowed' | 'below-revenue-limit' | 'forbidden' | 'unknown'} licence_terms
 * @property {number | null} revenue_limit_usd commercial use is free below this yearly revenue
 * @property {string | null} attribution a line that must be shown to users
 *
 * @typedef {LicenceTerms & ResultFile} Result the file that a job produced, and its licence
 *
 * @typedef {object} ResultFile
 * @property {string} licence
 * @property {string} url a path on the server
 * @property {string} format
 * @property {string} media_type
 * @property {number} bytes
 * @property {string} sha256
 * @property {number} duration
 * @property {number} sample_rate
 * @property {number} channels
 * @property {LoopPoints[] | null} loop_points the loops of the file, or null
 *
 * @typedef {object} LoopPoints a loop in a file: its first and last sample and its length, also in seconds
 * @property {number} start
 * @property {number} end
 * @property {number} length
 * @property {'forward' | 'alternating' | 'backward'} kind
 * @property {number} start_seconds
 * @property {number} end_seconds
 * @property {number} length_seconds
 *
 * @typedef {object} Timings
 * @property {number | null} queued_seconds
 * @property {number | null} load_seconds
 * @property {number | null} generate_seconds
 * @property {number | null} total_seconds
 *
 * @typedef {object} JobDetails
 * @property {string} prompt
 * @property {string} model the requested model
 * @property {string} generated_by the model that generates it: the composer if it is the fallback
 * @property {Record<string, unknown>} request the fields of the request, without files
 * @property {string} dialect
 * @property {string} created_at
 * @property {string | null} started_at
 * @property {string | null} finished_at
 * @property {Timings} timings
 * @property {Result | null} result
 * @property {Record<string, unknown>} metadata of the music: seed, model, licence and more
 * @property {string[]} warnings what was not used or not understood; empty until the job has finished
 * @property {{type: string, message: string, field?: string | null} | null} error
 * @property {{self: string, events: string, audio: string, score: string | null}} links
 *
 * @typedef {JobEvent & JobDetails} Job
 *
 * @typedef {LicenceTerms & TrackDetails} Track an entry of the server's prompt log
 *
 * @typedef {object} TrackDetails
 * @property {string} id
 * @property {string} prompt
 * @property {number | null} seed
 * @property {string} model
 * @property {string} generated_by
 * @property {number} duration
 * @property {number} created_at Unix seconds
 * @property {number | null} rating 1 to 5, null if unrated
 * @property {boolean} starred
 * @property {string[]} tags
 * @property {string | null} parent the track that it is a variation of
 * @property {string | null} job
 * @property {string | null} format
 * @property {number | null} bytes
 * @property {string | null} licence
 * @property {Record<string, unknown>} request
 * @property {string | null} audio the path of its file on the server; null if the file is no longer kept
 * @property {string | null} midi
 * @property {string | null} stems
 * @property {string | null} layers
 * @property {string | null} score the path of its score; null for music without notes
 * @property {string | null} peaks the path of its outline; null if the file is no longer kept
 * @property {string | null} title the composer's
 * @property {Figure | null} figure its melody, small; null if it is not known
 * @property {string | null} key as its maker says; null if it is not known
 * @property {number | null} tempo_bpm as its maker says; null if it is not known
 * @property {{pitch_class_recall: number, onset_recall: number, onset_chance: number, performances: number} | null} recall how much
 *   of the notes is heard where a model performed them; null for any other
 *
 * @typedef {LicenceTerms & ModelDetails} Model
 *
 * @typedef {object} ModelDetails
 * @property {string} name
 * @property {string} kind
 * @property {boolean} installed
 * @property {boolean} loaded
 * @property {string[]} aliases
 * @property {string | null} licence
 * @property {boolean} accept_licence whether a pull must accept the licence
 * @property {string | null} notice whose the weights are, where the licence asks those who share them
 * @property {string | null} about
 * @property {string[]} abilities what it does with a recording: continue, melody, redress, repaint
 * @property {{name: string, type: "number" | "integer" | "boolean" | "string", minimum: number | null, maximum: number | null}[]} fields
 *   the fields of a request that set how it makes a sound
 * @property {boolean} plays_live whether `live` can play it
 *
 * @typedef {object} LoadedModel
 * @property {string} name
 * @property {number} memory_bytes
 * @property {number} requests_running
 * @property {string | null} expires_at
 *
 * @typedef {[number, number, number][]} Figure start and length in 200ths of the piece, MIDI pitch
 *
 * @typedef {object} Score what the composer writes for a request; times are in seconds
 * @property {string} title
 * @property {string} genre
 * @property {number} seed
 * @property {string} key
 * @property {string} meter
 * @property {number} tempo_bpm at the start, in felt beats
 * @property {number} bars
 * @property {number} duration
 * @property {boolean} loop
 * @property {string} form
 * @property {number[]} bar_starts
 * @property {{name: string, start: number, end: number, energy: number}[]} sections
 * @property {{name: string, start: number, end: number, bar: number, beat: number, beats: number}[]} chords spelled for the
 *   key; bars and beats from 1, in quarter notes
 * @property {ScorePart[]} parts
 * @property {Figure} figure
 * @property {boolean} is_exact false: another version made the sound, and may have written other notes
 *
 * @typedef {object} ScorePart
 * @property {string} name as its stem is called
 * @property {string} role
 * @property {string} instrument
 * @property {string} label the instrument in words
 * @property {boolean} is_drums
 * @property {number} entry the intensity, 0 to 1, from which it plays
 * @property {[number, number, number, number][]} notes start, length, MIDI pitch, velocity 1 to 127
 *
 * @typedef {object} Peaks the outline of a file, in stretches of equal length
 * @property {number} duration
 * @property {number} points
 * @property {number[]} peak 0 to 255
 * @property {number[]} rms 0 to 255
 *
 * @typedef {object} Choice a value of a field, and its name for people
 * @property {unknown} value
 * @property {string} label
 *
 * @typedef {object} ExplainedAnswer the composer's answer to one musical question
 * @property {string} field genre, mood, tempo, key, meter, instruments, form, duration and more
 * @property {unknown} value as the field of a request takes it
 * @property {string} label in words
 * @property {string} reason
 * @property {"words" | "setting" | "genre" | "mood" | "chance" | "default"} source
 * @property {{start: number, end: number}[]} spans its words in the prompt, in code points; the end is exclusive
 * @property {boolean} is_locked whether the request sets it
 * @property {string | null} sets the field of a request that decides it; null: only the words do
 * @property {Choice[]} alternatives the most fitting first
 *
 * @typedef {object} Explanation what the composer makes of a request
 * @property {string} prompt
 * @property {string} title
 * @property {number} seed
 * @property {ExplainedAnswer[]} answers
 * @property {{field: string, value: string, source: string, because: string}[]} reasons
 * @property {string[]} warnings
 */

/** @typedef {GenerationFields} Wishes @deprecated use GenerationFields */

/** @typedef {JobEvent} JobNews @deprecated use JobEvent */

export {};
