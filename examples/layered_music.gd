# Layered music in Godot 4.3 or later: `tunesmith "…" --loop --layers 0.3,0.6,1 -o level.ogg`.
# Import the files of the manifest, add a node with this script, and set its intensity from 0 to 1.
extends AudioStreamPlayer

@export_file("*.json") var manifest_path := "res://music/level-layers.json"
@export_range(0.0, 1.0) var intensity := 0.0
@export var fade_seconds := 0.5

var _levels: Array[float] = []
var _gains: Array[float] = []
var _layers := AudioStreamSynchronized.new()


func _ready() -> void:
	var manifest: Dictionary = JSON.parse_string(FileAccess.get_file_as_string(manifest_path))
	_layers.stream_count = manifest["layers"].size()
	for i in _layers.stream_count:
		var layer: Dictionary = manifest["layers"][i]
		var sound: AudioStreamOggVorbis = load(manifest_path.get_base_dir().path_join(layer["file"]))
		sound.loop = manifest["loop"] != null
		_layers.set_sync_stream(i, sound)
		_levels.append(layer["intensity"])
		_gains.append(0.0)
	stream = _layers
	play()


func _process(delta: float) -> void:
	# The layers play the same notes, so that their gains add up to 1.
	var x := clampf(intensity, _levels[0], _levels[-1])
	for i in _levels.size():
		var wanted := 1.0 if is_equal_approx(x, _levels[i]) else 0.0
		if i > 0 and x > _levels[i - 1] and x < _levels[i]:
			wanted = inverse_lerp(_levels[i - 1], _levels[i], x)
		elif i + 1 < _levels.size() and x > _levels[i] and x < _levels[i + 1]:
			wanted = 1.0 - inverse_lerp(_levels[i], _levels[i + 1], x)
		_gains[i] = move_toward(_gains[i], wanted, delta / fade_seconds)
		_layers.set_sync_stream_volume(i, linear_to_db(_gains[i]))
