"use strict";

const TEXTS = {
  en: {
    rooms: "Rooms",
    userName: "Your name",
    roomName: "Room",
    hint: "Letters, digits, - and _",
    create: "Create the room",
    join: "Join it",
    camera: "Camera",
    microphone: "Microphone",
    leave: "Leave",
    you: "you",
    entering: "Entering …",
    reconnecting: "The connection broke; trying again …",
    left: "You have left the room.",
    ended: "You are no longer in the room.",
    noRoom: "There is no room of that name. Create it?",
    failed: "That did not work. Please try again.",
    noDevice: "No camera or microphone, or the browser may not use it.",
  },
  zh: {
    rooms: "房间",
    userName: "你的名字",
    roomName: "房间",
    hint: "字母、汉字、数字、- 和 _",
    create: "创建房间",
    join: "加入房间",
    camera: "摄像头",
    microphone: "麦克风",
    leave: "离开",
    you: "你",
    entering: "正在进入……",
    reconnecting: "连接中断，正在重连……",
    left: "你已离开房间。",
    ended: "你已不在房间中。",
    noRoom: "没有这个房间。要创建吗？",
    failed: "没有成功，请重试。",
    noDevice: "没有摄像头或麦克风，或浏览器不允许使用。",
  },
};

const language = navigator.language.startsWith("zh") ? "zh" : "en";
const text = TEXTS[language];
const $ = (id) => document.getElementById(id);
const { Room, RoomEvent, Track } = LivekitClient;

/** The room that we are in, and our token for it. */
let current = null;

document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
document.title = text.rooms;
for (const element of document.querySelectorAll("[data-text]")) {
  element.textContent = text[element.dataset.text];
}

function say(message, wrong = false) {
  $("status").textContent = message;
  $("status").classList.toggle("wrong", wrong);
}

async function post(path, { body, token } = {}) {
  const headers = {};
  if (body) headers["Content-Type"] = "application/json";
  if (token) headers.Authorization = `Bearer ${token}`;
  const response = await fetch(path, { method: "POST", headers, body: body && JSON.stringify(body) });
  if (!response.ok) throw Object.assign(new Error(`${path}: ${response.status}`), { status: response.status });
  return response.status === 204 ? null : response.json();
}

/** Asks for admission: creates the room, or joins the one that is there. */
function admission(what, room_name, user_name) {
  return what === "create"
    ? post("/api/rooms", { body: { room_name, user_name } })
    : post(`/api/rooms/${encodeURIComponent(room_name)}/join`, { body: { user_name } });
}

async function enter(what, roomName, userName) {
  const admitted = await admission(what, roomName, userName);
  const room = new Room({ adaptiveStream: true, dynacast: true });
  room
    .on(RoomEvent.ParticipantConnected, tile)
    .on(RoomEvent.ParticipantDisconnected, (participant) => $(`of-${participant.identity}`)?.remove())
    .on(RoomEvent.TrackSubscribed, (track, _, participant) => show(track, participant))
    .on(RoomEvent.TrackUnsubscribed, (track) => hide(track))
    .on(RoomEvent.LocalTrackPublished, ({ track }, participant) => show(track, participant))
    .on(RoomEvent.LocalTrackUnpublished, ({ track }) => hide(track))
    .on(RoomEvent.Reconnecting, () => say(text.reconnecting))
    .on(RoomEvent.Reconnected, () => say(""))
    .on(RoomEvent.Disconnected, () => out(current?.leaving ? text.left : text.ended));
  await room.connect(admitted.url, admitted.token);
  current = { room, token: admitted.token, leaving: false };
  $("title").textContent = room.name;
  $("enter").hidden = true;
  $("stage").hidden = false;
  $("title").focus();
  say("");
  for (const participant of [room.localParticipant, ...room.remoteParticipants.values()]) tile(participant);
  await device("camera", true);
  await device("microphone", true);
}

/** Turns our camera or microphone on or off. Without one we are in the room all the same. */
async function device(name, on) {
  if (!current) return;
  const participant = current.room.localParticipant;
  const set = { camera: "setCameraEnabled", microphone: "setMicrophoneEnabled" }[name];
  try {
    await participant[set](on);
    $(name).setAttribute("aria-pressed", String(on));
  } catch (error) {
    // Of no interest to those who have left meanwhile.
    if (!current) return;
    console.warn(error);
    say(text.noDevice, true);
  }
}

/** The place of a participant on the page. */
function tile(participant) {
  const id = `of-${participant.identity}`;
  if ($(id)) return $(id);
  const figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  figure.id = id;
  figure.classList.toggle("own", participant.isLocal);
  caption.textContent = participant.isLocal ? `${participant.name} (${text.you})` : participant.name;
  figure.append(caption);
  $("people").append(figure);
  return figure;
}

function show(track, participant) {
  // Nobody wants to hear themselves.
  if (participant.isLocal && track.kind === Track.Kind.Audio) return;
  tile(participant).append(track.attach());
}

function hide(track) {
  for (const element of track?.detach() ?? []) element.remove();
}

function out(message) {
  current = null;
  $("people").replaceChildren();
  $("title").textContent = text.rooms;
  $("stage").hidden = true;
  $("enter").hidden = false;
  say(message);
}

$("enter").addEventListener("submit", async (event) => {
  event.preventDefault();
  const buttons = $("enter").querySelectorAll("button");
  buttons.forEach((button) => (button.disabled = true));
  say(text.entering);
  try {
    await enter(event.submitter?.value ?? "create", $("room").value.trim(), $("user").value.trim());
  } catch (error) {
    console.warn(error);
    say(error.status === 404 ? text.noRoom : text.failed, true);
  } finally {
    buttons.forEach((button) => (button.disabled = false));
  }
});

for (const name of ["camera", "microphone"]) {
  $(name).addEventListener("click", () => device(name, $(name).getAttribute("aria-pressed") !== "true"));
}

$("leave").addEventListener("click", async () => {
  const { room, token } = current;
  current.leaving = true;
  try {
    await post(`/api/rooms/${encodeURIComponent(room.name)}/leave`, { token });
  } catch (error) {
    // Whoever closes the connection has left as well.
    console.warn(error);
  }
  await room.disconnect();
});
