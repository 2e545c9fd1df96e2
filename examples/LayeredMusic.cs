// Layered music in Unity: the files of `tunesmith "…" --loop --layers 0.3,0.6,1 -o level.wav`.
// Drag the manifest and the clips, in its order, onto the component; set Intensity from 0 to 1 as the action rises.
using System;
using UnityEngine;

public class LayeredMusic : MonoBehaviour {
    [Serializable] class Layer { public float intensity; }
    [Serializable] class Manifest { public Layer[] layers; }

    public TextAsset manifest;
    public AudioClip[] clips;
    [Range(0, 1)] public float Intensity;
    public float fadeSeconds = 0.5f;

    Layer[] layers;
    AudioSource[] sources;

    void Start() {
        layers = JsonUtility.FromJson<Manifest>(manifest.text).layers;
        double at = AudioSettings.dspTime + 0.1; // one time for all, so that they start on the same sample
        sources = Array.ConvertAll(clips, _ => gameObject.AddComponent<AudioSource>());
        for (int i = 0; i < clips.Length; i++) {
            (sources[i].clip, sources[i].loop, sources[i].volume) = (clips[i], true, 0);
            sources[i].PlayScheduled(at);
        }
    }

    // The layers play the same notes, so that their gains add up to 1.
    void Update() {
        for (int i = 0; i < sources.Length; i++)
            sources[i].volume = Mathf.MoveTowards(sources[i].volume, Wanted(i), Time.deltaTime / fadeSeconds);
    }

    float Wanted(int i) {
        float x = Mathf.Clamp(Intensity, layers[0].intensity, layers[^1].intensity), own = layers[i].intensity;
        if (x <= own) return i == 0 ? 1 : Mathf.InverseLerp(layers[i - 1].intensity, own, x);
        return i == layers.Length - 1 ? 1 : 1 - Mathf.InverseLerp(own, layers[i + 1].intensity, x);
    }
}
