// The plant's live page. It shows the pictures that the server sends as server-sent events. All values from a picture
// pass through `number`, `list` or `string` below, and are displayed with textContent, so a damaged picture cannot
// break the page.
(function () {
    'use strict';

    const TEXTS = {
        en: {
            title: 'Production', chooseDay: 'Choose a day', olderDay: 'Previous day', newerDay: 'Next day', day: 'Day',
            today: 'Today', latestDay: 'Latest day', current: 'Current production', producedSoFar: 'produced so far',
            producedAll: 'produced',
            total: 'Total', totalNote: 'units past collection point 40', nok: 'NOK',
            nokNote: 'with a concern, not yet produced', share: 'Without concern',
            shareNote: '{0} of {1} units', letters: 'Open dead letters', lettersShort: 'Dead letters',
            noLetters: 'none open', someLetters: 'messages to repair', byHour: 'By the hour',
            unitsPerHour: 'Units per hour', runningTotal: 'Running total', planRow: 'Plan',
            concernsPerHour: 'Concerns per hour', hour: 'Hour', unitsPerZone: 'Units per zone',
            nokPerZone: 'NOK per zone', notOKByPoint: 'Not OK by point', zone: 'Zone', point: 'Point', units: 'Units',
            none: 'None on this day', data: 'Data', lastMessage: 'Last message', age: 'Age', lag: 'Messages to read',
            rowsPerSecond: 'Rows per second', waits: 'Waits', nothing: 'none', unknown: 'unknown',
            planBy: 'plan by {0}', planWas: 'plan for the day', noPlan: 'no plan', planBegins: 'plan begins at {0}',
            ahead: '{0} ahead of plan', behind: '{0} behind plan', even: 'on plan', noGap: 'nothing to compare',
            timeLeft: '{0} min left until {1}', dayOver: 'day is over', dayAhead: 'day has not begun',
            showAll: 'Show all {0}', showFewer: 'Show fewer', range: '{0}–{1} of {2}', replayed: 'replayed',
            asOf: 'as of', connecting: 'Connecting', live: 'Live',
            lost: 'Connection lost – figures of {0} – reconnecting',
            lostEmpty: 'No connection – reconnecting', unreadable: 'Unreadable figures received – showing those of {0}',
            unreadableEmpty: 'Unreadable figures received', announceTotal: '{0} units produced', paused: 'paused',
            seconds: '{0} s', minutes: '{0} min', hours: '{0} h {1} min', days: '{0} d {1} h', barOf: '{0} h: {1}'
        },
        es: {
            title: 'Producción', chooseDay: 'Elegir un día', olderDay: 'Día anterior', newerDay: 'Día siguiente',
            day: 'Día', today: 'Hoy', latestDay: 'Último día', current: 'Producción actual',
            producedSoFar: 'hasta ahora', producedAll: 'producidas', total: 'Total',
            totalNote: 'unidades tras el punto de captura 40',
            nok: 'NOK', nokNote: 'con incidencia, sin producir', share: 'Sin incidencia',
            shareNote: '{0} de {1} unidades', letters: 'Rechazados', lettersShort: 'Rechazados',
            noLetters: 'ninguno pendiente', someLetters: 'mensajes por reparar', byHour: 'Por hora',
            unitsPerHour: 'Unidades por hora', runningTotal: 'Total acumulado', planRow: 'Plan',
            concernsPerHour: 'Incidencias por hora', hour: 'Hora', unitsPerZone: 'Unidades por zona',
            nokPerZone: 'NOK por zona', notOKByPoint: 'No OK por punto', zone: 'Zona', point: 'Punto',
            units: 'Unidades', none: 'Ninguna este día', data: 'Datos', lastMessage: 'Último mensaje',
            age: 'Antigüedad', lag: 'Por leer', rowsPerSecond: 'Filas por segundo', waits: 'Esperas',
            nothing: 'ninguna', unknown: 'desconocido', planBy: 'plan hasta las {0}', planWas: 'plan del día',
            noPlan: 'sin plan', planBegins: 'el plan empieza a las {0}', ahead: '{0} sobre el plan',
            behind: '{0} bajo el plan', even: 'según el plan', noGap: 'sin comparación',
            timeLeft: 'quedan {0} min hasta las {1}', dayOver: 'el día ha terminado', dayAhead: 'el día no ha empezado',
            showAll: 'Mostrar los {0}', showFewer: 'Mostrar menos', range: '{0}–{1} de {2}', replayed: 'reproducido',
            asOf: 'de las', connecting: 'Conectando', live: 'En vivo',
            lost: 'Sin conexión – cifras de las {0} – reconectando', lostEmpty: 'Sin conexión – reconectando',
            unreadable: 'Cifras recibidas ilegibles – se muestran las de las {0}',
            unreadableEmpty: 'Cifras recibidas ilegibles', announceTotal: '{0} unidades producidas', paused: 'en pausa',
            seconds: '{0} s', minutes: '{0} min', hours: '{0} h {1} min', days: '{0} d {1} h', barOf: '{0} h: {1}'
        }
    };
    const COLLAPSED_ROWS = 10;
    const ROTATION_MS = 10000;
    // The server sends a beat every 4 s. After three missing beats the stream has stalled, which must show within 15 s.
    const STALL_MS = 12000;
    const RETRY_MS = [500, 1000, 2000, 4000, 8000, 10000];
    const RELOAD_MS = 60000;
    const ANNOUNCE_MS = 30000;
    const UNKNOWN = '–';

    // ---- Language and formats

    const tags = navigator.languages && navigator.languages.length ? navigator.languages : [navigator.language || 'en'];
    const locale = tags.filter(tag => /^(en|es)(-|$)/i.test(tag))[0] || 'en';
    const language = locale.slice(0, 2).toLowerCase();
    const texts = TEXTS[language];

    function text(name) {
        let result = texts[name];
        for (let i = 1; i < arguments.length; i++) result = result.split('{' + (i - 1) + '}').join(arguments[i]);
        return result;
    }

    function formatter(options) {
        const format = new Intl.NumberFormat(locale, options);
        return value => format.format(value);
    }
    const grouped = formatter({maximumFractionDigits: 0});
    const plain = formatter({maximumFractionDigits: 0, useGrouping: false});
    const oneDigit = formatter({maximumFractionDigits: 1});
    const percent = formatter({style: 'percent', maximumFractionDigits: 0});
    const dayFormat = new Intl.DateTimeFormat(locale,
        {timeZone: 'UTC', weekday: 'long', day: 'numeric', month: 'long', year: 'numeric'});
    const shortDayFormat = new Intl.DateTimeFormat(locale,
        {timeZone: 'UTC', weekday: 'short', day: 'numeric', month: 'short'});
    const shortDayYearFormat = new Intl.DateTimeFormat(locale,
        {timeZone: 'UTC', day: 'numeric', month: 'short', year: 'numeric'});
    const monthDayFormat = new Intl.DateTimeFormat(locale, {timeZone: 'UTC', day: 'numeric', month: 'short'});

    // Returns at most five characters, so that every figure fits: 123456 becomes 123k.
    function count(value, format) {
        if (value === null) return UNKNOWN;
        if (value < 100000) return (format || grouped)(value);
        if (value < 1e6) return grouped(Math.floor(value / 1e3)) + 'k';
        if (value < 1e8) return oneDigit(Math.floor(value / 1e5) / 10) + 'M';
        return value < 1e9 ? grouped(Math.floor(value / 1e6)) + 'M' : '>1G';
    }
    function signed(value) {
        return (value > 0 ? '+' : value < 0 ? '−' : '') + count(Math.abs(value));
    }
    function two(value) { return (value < 10 ? '0' : '') + value; }
    function clockTime(ms, withSeconds) {
        const date = new Date(ms);
        return two(date.getUTCHours()) + ':' + two(date.getUTCMinutes())
            + (withSeconds ? ':' + two(date.getUTCSeconds()) : '');
    }
    function hourTime(hour) { return two(hour % 24) + ':00'; }
    function duration(ms) {
        const seconds = Math.max(0, Math.floor(ms / 1000));
        if (seconds < 120) return text('seconds', seconds);
        const minutes = Math.floor(seconds / 60);
        if (minutes < 120) return text('minutes', minutes);
        const hours = Math.floor(minutes / 60);
        if (hours < 48) return text('hours', hours, minutes % 60);
        return text('days', grouped(Math.floor(hours / 24)), hours % 24);
    }

    // ---- Reading a picture: a value of the wrong type becomes unknown

    function object(value) { return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {}; }
    function number(value) { return typeof value === 'number' && isFinite(value) && value >= 0 ? value : null; }
    function string(value, limit) { return typeof value === 'string' ? value.slice(0, limit) : null; }
    function isDay(value) {
        return typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value) && !isNaN(Date.parse(value + 'T00:00:00Z'));
    }
    // Parses the plant's local time into ms, as if it were UTC, so that the browser's time zone does not change it.
    function localTime(value) {
        if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?$/.test(value)) return null;
        const ms = Date.parse(value + 'Z');
        return isNaN(ms) ? null : ms;
    }
    // Parses an instant with an offset from UTC, which is that of the plant's time zone: {at, offset}, both in ms.
    function instant(value) {
        const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:Z|[+-]\d\d:\d\d)$/.exec(string(value, 40));
        const at = parts === null ? NaN : Date.parse(value);
        return isNaN(at) ? null : {at: at, offset: Date.parse(parts[1] + 'Z') - at};
    }
    // Returns the entries {key, value} of an array, each key once. `limit` bounds the work that a damaged picture
    // causes.
    function list(value, keyName, valueName, limit) {
        if (!Array.isArray(value)) return [];
        const byKey = new Map();
        value.slice(0, 1000).forEach(item => {
            const key = number(object(item)[keyName]);
            const units = number(object(item)[valueName]);
            if (key !== null && key % 1 === 0 && key < limit && units !== null) byKey.set(key, units);
        });
        return Array.from(byKey, pair => ({key: pair[0], value: pair[1]}));
    }
    function byHour(value, valueName) {
        const hours = new Map();
        list(value, 'hour', valueName, 24).forEach(entry => hours.set(entry.key, entry.value));
        return hours;
    }
    function bySize(entries) { return entries.sort((a, b) => b.value - a.value || a.key - b.key); }

    function read(raw) {
        const tiles = object(raw.tiles), share = object(tiles.share), data = object(raw.data);
        const running = byHour(tiles.current_production, 'units');
        const plan = byHour(tiles.current_production, 'plan');
        byHour(tiles.plan, 'units').forEach((units, hour) => plan.set(hour, units));
        return {
            version: string(raw.version, 100), now: localTime(raw.now), replayed: raw.replayed === true,
            day: isDay(raw.day) ? raw.day : null,
            days: Array.isArray(raw.days) ? raw.days.filter(isDay).slice(0, 60) : [],
            total: number(tiles.total), nok: number(tiles.nok),
            produced: number(share.produced), withoutConcern: number(share.without_concern),
            hasRunning: Array.isArray(tiles.current_production),
            unitsPerHour: byHour(tiles.units_per_hour, 'units'), running: running, plan: plan,
            concernsPerHour: byHour(tiles.concerns_per_hour, 'units'),
            ranks: {
                'units-per-zone': bySize(list(tiles.units_per_zone, 'zone', 'units', 1e6)),
                'nok-per-zone': bySize(list(tiles.nok_per_zone, 'zone', 'units', 1e6)),
                'not-ok-by-point': bySize(list(tiles.not_ok_by_point, 'point', 'units', 1e6))
            },
            lastMessage: instant(data.last_message), lag: number(data.lag),
            rowsPerSecond: number(data.rows_per_second), deadLetters: number(data.dead_letters),
            waits: Array.isArray(data.waits)
                ? data.waits.map(wait => string(wait, 200)).filter(wait => wait).slice(0, 20) : []
        };
    }

    // ---- Changing the document, only if something differs

    const SVG = 'http://www.w3.org/2000/svg';
    function find(selector, root) { return (root || document).querySelector(selector); }
    function findAll(selector, root) { return Array.from((root || document).querySelectorAll(selector)); }
    function setText(node, value) { if (node.textContent !== value) node.textContent = value; }
    function setAttribute(node, name, value) {
        if (value === null) {
            if (node.hasAttribute(name)) node.removeAttribute(name);
        } else if (node.getAttribute(name) !== String(value)) {
            node.setAttribute(name, value);
        }
    }
    function setClass(node, name, on) { if (node.classList.contains(name) !== on) node.classList.toggle(name, on); }
    function svgElement(name, className) {
        const node = document.createElementNS(SVG, name);
        if (className) node.setAttribute('class', className);
        return node;
    }
    function element(name, className) {
        const node = document.createElement(name);
        if (className) node.className = className;
        return node;
    }
    const figures = {};
    findAll('[data-figure]').forEach(node => { figures[node.getAttribute('data-figure')] = node; });
    // `value` is the exact value for tests and scripts that read the page.
    function show(name, shown, value) {
        const node = figures[name];
        setText(node, shown);
        if (value !== undefined) setAttribute(node, 'data-value', value === null ? 'unknown' : value);
        if (node.classList.contains('lead')) setAttribute(node, 'data-fit', fit(shown));
        setClass(node, 'unknown', value === null);
    }
    // Returns by how much to shrink a leading figure: 0 for three digits, 4 for the longest. Uses the widths of a wide
    // font.
    function fit(shown) {
        let width = 0;
        shown.split('').forEach(character => {
            width += /\d/.test(character) ? 0.7 : /[.,\s]/.test(character) ? 0.4 : 1;
        });
        return [2.2, 2.6, 3.1, 3.7].filter(limit => width > limit).length;
    }
    function showCount(name, value) { show(name, count(value), value); }
    function share(value) { return (100 * value).toFixed(2) + '%'; }

    // ---- Charts by hour, all with the same columns

    const chart = find('.chart');
    const columns = {first: 8, length: 9, dense: false, size: 16, axisStep: 1};

    function layColumns(picture) {
        const hours = [];
        [picture.unitsPerHour, picture.running, picture.plan, picture.concernsPerHour].forEach(
            map => map.forEach((_, hour) => hours.push(hour)));
        let first = hours.length ? Math.min.apply(null, hours) : 8;
        let last = hours.length ? Math.max.apply(null, hours) : 16;
        // Fewer columns would make the bars too wide, and each new hour would change the scale.
        last = Math.min(23, Math.max(last, first + 7));
        first = Math.max(0, Math.min(first, last - 7));
        columns.first = first;
        columns.length = last - first + 1;
    }
    function columnStart(index, part) { return share((index + (1 - part) / 2) / columns.length); }

    class Bars {
        constructor(name, svg, kind) {
            this.name = name;
            this.svg = svg;
            this.kind = kind;
            this.slots = [];
            if (kind !== 'numbers') {
                const base = svgElement('line', 'base');
                ['x1', '0', 'x2', '100%', 'y1', '100%', 'y2', '100%'].forEach((value, i, all) => {
                    if (i % 2 === 0) base.setAttribute(value, all[i + 1]);
                });
                svg.appendChild(base);
            }
        }
        slot(index) {
            while (this.slots.length <= index) {
                const slot = {
                    bar: svgElement('rect', 'bar'), goal: svgElement('line', 'goal'), label: svgElement('text')
                };
                if (this.kind !== 'numbers') this.svg.appendChild(slot.bar);
                if (this.kind === 'planned') this.svg.appendChild(slot.goal);
                this.svg.appendChild(slot.label);
                this.slots.push(slot);
            }
            return this.slots[index];
        }
        draw(values, goals, current) {
            let top = 1;
            values.forEach(value => { top = Math.max(top, value); });
            if (goals) goals.forEach(value => { top = Math.max(top, value); });
            // The remaining height is for the number above the tallest bar.
            const height = this.svg.getBoundingClientRect().height;
            const above = columns.size * (columns.dense ? 0.7 * count(top, plain).length + 0.6 : 1.5);
            const reach = Math.min(0.85, Math.max(0.15, 1 - above / Math.max(1, height)));
            const spoken = [];
            for (let i = 0; i < Math.max(columns.length, this.slots.length); i++) {
                const slot = this.slot(i), hour = columns.first + i, inside = i < columns.length;
                const value = inside && values.has(hour) ? values.get(hour) : null;
                const goal = inside && goals && goals.has(hour) ? goals.get(hour) : null;
                const part = value === null ? 0 : reach * value / top;
                const goalPart = goal === null ? 0 : reach * goal / top;
                if (this.kind !== 'numbers') {
                    setAttribute(slot.bar, 'x', columnStart(i, 0.62));
                    setAttribute(slot.bar, 'width', share(0.62 / columns.length));
                    setAttribute(slot.bar, 'y', share(1 - part));
                    setAttribute(slot.bar, 'height', share(part));
                }
                if (this.kind === 'planned') {
                    setAttribute(slot.goal, 'visibility', goal === null ? 'hidden' : null);
                    setAttribute(slot.goal, 'x1', columnStart(i, 0.86));
                    setAttribute(slot.goal, 'x2', share((i + 0.93) / columns.length));
                    setAttribute(slot.goal, 'y1', share(1 - goalPart));
                    setAttribute(slot.goal, 'y2', share(1 - goalPart));
                }
                setText(slot.label, value === null ? '' : count(value, plain));
                setAttribute(slot.label, 'x', share((i + 0.5) / columns.length));
                setAttribute(slot.label, 'y', this.kind === 'numbers' ? '50%' : share(1 - Math.max(part, goalPart)));
                setAttribute(slot.label, 'dy', this.kind === 'numbers' ? '0.35em' : '-0.4em');
                setAttribute(slot.label, 'data-bar', value === null ? null : this.name);
                setAttribute(slot.label, 'data-key', value === null ? null : hour);
                setAttribute(slot.label, 'data-value', value);
                setClass(slot.label, 'now', hour === current);
                setClass(slot.bar, 'now', hour === current);
                if (value !== null) spoken.push(text('barOf', hour, count(value)));
            }
            setAttribute(this.svg, 'aria-label', find('h3.' + this.svg.classList[1], chart).textContent.trim() + '. '
                + (spoken.join(', ') || text('none')));
        }
    }
    const bars = {
        units: new Bars('units-per-hour', find('svg.units'), 'bars'),
        running: new Bars('current-production', find('svg.running'), 'planned'),
        planned: new Bars('plan', find('svg.planned'), 'numbers'),
        concerns: new Bars('concerns-per-hour', find('svg.concerns'), 'bars')
    };
    const axisLabels = [];
    function drawAxis(current) {
        const svg = find('svg.axis');
        for (let i = 0; i < Math.max(columns.length, axisLabels.length); i++) {
            if (i === axisLabels.length) axisLabels.push(svg.appendChild(svgElement('text')));
            const hour = columns.first + i, step = columns.axisStep;
            // The current hour's label replaces its neighbours' labels.
            const isShown = hour === current
                || (hour % step === 0 && (current === null || Math.abs(hour - current) >= step));
            setText(axisLabels[i], i < columns.length && isShown ? two(hour) : '');
            setAttribute(axisLabels[i], 'x', share((i + 0.5) / columns.length));
            setAttribute(axisLabels[i], 'y', '50%');
            setAttribute(axisLabels[i], 'dy', '0.35em');
            setClass(axisLabels[i], 'now', hour === current);
        }
        const now = find('.columns .now'), index = current === null ? -1 : current - columns.first;
        setAttribute(now, 'visibility', index < 0 || index >= columns.length ? 'hidden' : null);
        setAttribute(now, 'x', share(Math.max(0, index) / columns.length));
        setAttribute(now, 'width', share(1 / columns.length));
    }
    // In narrow columns the numbers are smaller, and in very narrow ones they are vertical.
    function measureColumns(picture) {
        let digits = 2;
        [picture.unitsPerHour, picture.running, picture.plan, picture.concernsPerHour].forEach(map => map.forEach(
            value => { digits = Math.max(digits, count(value, plain).length); }));
        const style = getComputedStyle(document.documentElement);
        const size = parseFloat(style.fontSize) * parseFloat(style.getPropertyValue('--number'));
        const needed = digits * size * 0.7 + size / 3;
        const factor = find('svg.axis').getBoundingClientRect().width / columns.length / needed;
        columns.dense = factor < 0.72;
        // An hour's label needs two digits and some space.
        columns.axisStep = Math.ceil(1.9 * columns.size / (factor * needed));
        columns.size = size * (columns.dense ? 0.85 : Math.min(1, factor));
        if (chart.style.fontSize !== columns.size + 'px') chart.style.fontSize = columns.size + 'px';
        setClass(chart, 'dense', columns.dense);
    }
    function fillTable(picture) {
        const body = find('table.values tbody');
        const hours = [];
        for (let i = 0; i < columns.length; i++) hours.push(columns.first + i);
        while (body.rows.length > hours.length) body.deleteRow(-1);
        while (body.rows.length < hours.length) {
            const row = body.insertRow(-1);
            const head = row.appendChild(element('th'));
            head.setAttribute('scope', 'row');
            for (let i = 0; i < 4; i++) row.insertCell(-1);
        }
        hours.forEach((hour, i) => {
            const cells = body.rows[i].cells;
            setText(cells[0], hourTime(hour));
            [picture.unitsPerHour, picture.running, picture.plan, picture.concernsPerHour].forEach((map, j) => {
                setText(cells[j + 1], map.has(hour) ? count(map.get(hour)) : '');
            });
        });
    }

    // ---- Ranked lists: the first rows, and the rest by a button or, on a wall screen, by rotation

    const parameters = new URLSearchParams(location.search);
    const isTV = parameters.has('tv');
    let isPaused = false;

    let picture = null;

    class Rank {
        constructor(section) {
            this.name = section.getAttribute('data-rank');
            this.list = find('ol', section);
            this.none = find('.none', section);
            this.range = find('.range', section);
            this.button = find('button', section);
            this.rows = [];
            this.isExpanded = false;
            this.fitted = COLLAPSED_ROWS;
            this.page = 0;
            this.button.addEventListener('click', () => {
                this.isExpanded = !this.isExpanded;
                this.arrange();
            });
        }
        draw(entries) {
            while (this.rows.length > entries.length) this.list.removeChild(this.rows.pop().item);
            while (this.rows.length < entries.length) {
                const row = {
                    item: element('li'), key: element('span', 'key'), svg: svgElement('svg', 'track'),
                    bar: svgElement('rect', 'bar'), value: element('span', 'value')
                };
                setAttribute(row.svg, 'aria-hidden', 'true');
                setAttribute(row.svg, 'focusable', 'false');
                setAttribute(row.bar, 'height', '100%');
                row.svg.appendChild(row.bar);
                [row.key, row.svg, row.value].forEach(node => row.item.appendChild(node));
                this.list.appendChild(row.item);
                this.rows.push(row);
            }
            const top = entries.length ? Math.max(1, entries[0].value) : 1;
            const digits = entries.reduce((most, entry) => Math.max(most, plain(entry.key).length), 3);
            if (this.digits !== digits) this.list.style.setProperty('--keys', digits + 'ch');
            this.digits = digits;
            entries.forEach((entry, i) => {
                const row = this.rows[i];
                setText(row.key, plain(entry.key));
                setText(row.value, count(entry.value, plain));
                setAttribute(row.bar, 'width', share(entry.value / top));
                setAttribute(row.item, 'data-bar', this.name);
                setAttribute(row.item, 'data-key', entry.key);
                setAttribute(row.item, 'data-value', entry.value);
            });
            this.arrange();
        }
        fitting() {
            if (this.isExpanded) return this.rows.length;
            // An expanded list also makes its neighbours taller, but they must keep their rows.
            if (ranks.some(rank => rank.isExpanded)) return this.fitted;
            // On a wall screen the note would take a part of the list's height.
            if (!this.none.hidden) this.none.hidden = true;
            const style = getComputedStyle(document.documentElement);
            const row = parseFloat(style.fontSize) * parseFloat(style.getPropertyValue('--row'));
            const rows = Math.floor(this.list.getBoundingClientRect().height / row + 0.01);
            this.fitted = Math.max(isTV ? 1 : COLLAPSED_ROWS, rows);
            return this.fitted;
        }
        arrange() {
            setClass(this.list, 'expanded', this.isExpanded);
            const all = this.rows.length, fitting = this.fitting();
            const pages = Math.max(1, Math.ceil(all / fitting));
            const start = isTV ? this.page % pages * fitting : 0;
            this.rows.forEach((row, i) => {
                const hidden = i < start || i >= start + fitting;
                if (row.item.hidden !== hidden) row.item.hidden = hidden;
            });
            const hidden = all > 0 || picture === null;
            if (this.none.hidden !== hidden) this.none.hidden = hidden;
            const range = text('range', start + 1, Math.min(all, start + fitting), all);
            setText(this.range, !isTV || !all ? '' : isPaused ? range + ' · ' + text('paused') : range);
            const isNeeded = !isTV && (this.isExpanded || all > fitting);
            setClass(this.button, 'away', !isNeeded);
            if (this.button.disabled === isNeeded) this.button.disabled = !isNeeded;
            setText(this.button, this.isExpanded ? text('showFewer') : text('showAll', all));
            setAttribute(this.button, 'aria-expanded', String(this.isExpanded));
        }
    }
    const ranks = [];
    findAll('.rank').forEach(section => ranks.push(new Rank(section)));

    // ---- A picture

    // The performance.now() of the last picture, and of the last event of any kind.
    let pictureAt = 0;
    let eventAt = 0;
    let state = 'connecting';

    // The plant's time: that of the picture plus the time since it came. It stands still during a replay, and without a
    // connection.
    function plantTime() {
        if (!picture || picture.now === null) return null;
        if (picture.replayed) return picture.now;
        const until = state === 'live' ? performance.now() : eventAt;
        return picture.now + Math.max(0, until - pictureAt);
    }

    // Returns the plan that applies now: {value, note, left, isOver, hour}.
    function target() {
        const now = plantTime();
        const none = {value: null, note: text('noPlan'), left: UNKNOWN, hour: null, isOver: false};
        if (now === null || picture.day === null) return none;
        const hours = Array.from(picture.plan.keys()).sort((a, b) => a - b);
        const today = new Date(now).toISOString().slice(0, 10);
        const hour = new Date(now).getUTCHours();
        const last = hours[hours.length - 1];
        if (picture.day > today) return Object.assign(none, {left: text('dayAhead')});
        if (picture.day < today || (hours.length && hour > last)) {
            return {
                value: hours.length ? picture.plan.get(last) : null, note: text(hours.length ? 'planWas' : 'noPlan'),
                left: text('dayOver'), hour: null, isOver: true
            };
        }
        const end = hourTime(hour + 1);
        const minutes = Math.ceil((3600000 - now % 3600000) / 60000);
        const left = text('timeLeft', minutes, end);
        if (!hours.length) return Object.assign(none, {left: left, hour: hour});
        if (hour < hours[0]) {
            return {value: null, note: text('planBegins', hourTime(hours[0])), left: left, hour: hour};
        }
        // An hour without a plan of its own adds nothing to the running total.
        const reached = hours.filter(each => each <= hour).pop();
        return {value: picture.plan.get(reached), note: text('planBy', end), left: left, hour: hour};
    }

    const gap = find('.gap');
    const progress = {done: find('.progress .done'), goal: find('.progress .goal')};
    let drawnHour = null;

    // Draws what depends on the clock. Runs once per second.
    function drawTime() {
        if (!picture) return;
        const now = plantTime();
        show('clock', now === null ? UNKNOWN : clockTime(now, false));
        show('clock-note', state !== 'live' ? text('asOf') : picture.replayed ? text('replayed') : '');
        const age = picture.lastMessage === null ? null : Math.max(0, Date.now() - picture.lastMessage.at);
        show('age', age === null ? text('unknown') : duration(age), age === null ? null : undefined);

        const keys = Array.from(picture.running.keys());
        const produced = !picture.hasRunning ? null
            : keys.length ? picture.running.get(Math.max.apply(null, keys)) : 0;
        const goal = target();
        showCount('produced', produced);
        showCount('plan', goal.value);
        show('produced-note', text(produced === null ? 'unknown' : goal.isOver ? 'producedAll' : 'producedSoFar'));
        show('plan-note', goal.note);
        show('time-left', goal.left);
        const difference = produced === null || goal.value === null ? null : produced - goal.value;
        setAttribute(gap, 'data-gap', difference === null ? 'none' : difference > 0 ? 'ahead'
            : difference < 0 ? 'behind' : 'even');
        setText(find('.symbol', gap), difference === null ? '' : difference > 0 ? '▲' : difference < 0 ? '▼' : '=');
        show('gap', difference === null ? text('noGap') : difference === 0 ? text('even')
            : text(difference > 0 ? 'ahead' : 'behind', signed(difference)), difference);
        const top = Math.max(1, produced || 0, goal.value || 0) * 1.02;
        setAttribute(progress.done, 'width', share((produced || 0) / top));
        setAttribute(progress.goal, 'visibility', goal.value === null ? 'hidden' : null);
        setAttribute(progress.goal, 'x1', share((goal.value || 0) / top));
        setAttribute(progress.goal, 'x2', share((goal.value || 0) / top));
        if (goal.hour !== drawnHour) {
            drawnHour = goal.hour;
            drawHours();
        }
    }

    function drawHours() {
        layColumns(picture);
        measureColumns(picture);
        bars.units.draw(picture.unitsPerHour, null, drawnHour);
        bars.running.draw(picture.running, picture.plan, drawnHour);
        bars.planned.draw(picture.plan, null, drawnHour);
        bars.concerns.draw(picture.concernsPerHour, null, drawnHour);
        drawAxis(drawnHour);
        fillTable(picture);
    }

    let waitIndex = 0;
    const WAIT_LENGTH = 44;
    function shorten(wait) { return wait.length > WAIT_LENGTH ? wait.slice(0, WAIT_LENGTH) + '…' : wait; }
    function drawWaits() {
        const waits = picture.waits;
        // A wall screen has only one line, so it shows them in turn.
        const index = waitIndex % Math.max(1, waits.length);
        const shown = !isTV ? waits.join(' · ') : waits.length < 2 ? waits.map(shorten).join('')
            : shorten(waits[index]) + ' (' + (index + 1) + '/' + waits.length + ')';
        setText(figures.waits, shown || text('nothing'));
        setClass(figures.waits, 'some', waits.length > 0);
    }

    function draw() {
        const date = picture.day === null ? null : new Date(picture.day + 'T00:00:00Z');
        setText(figures.day, date ? dayFormat.format(date) : text('unknown'));
        setAttribute(figures.day, 'data-value', picture.day);
        showCount('total', picture.total);
        show('total-note', text(picture.total === null ? 'unknown' : 'totalNote'));
        showCount('nok', picture.nok);
        show('nok-note', text(picture.nok === null ? 'unknown' : 'nokNote'));
        const known = picture.produced !== null && picture.withoutConcern !== null;
        const rate = known && picture.produced > 0 ? Math.min(1, picture.withoutConcern / picture.produced) : null;
        // 100% only if all units are without concern.
        const shown = rate === null ? UNKNOWN : percent(rate < 1 ? Math.min(0.99, rate) : 1);
        show('share', shown, rate === null ? null : rate.toFixed(4));
        show('share-note', known ? text('shareNote', count(picture.withoutConcern), count(picture.produced))
            : text('unknown'));
        setAttribute(figures['share-note'], 'data-produced', picture.produced);
        setAttribute(figures['share-note'], 'data-without-concern', picture.withoutConcern);

        const letters = picture.deadLetters;
        showCount('dead-letters', letters);
        show('letters-note', text(letters === null ? 'unknown' : letters === 0 ? 'noLetters' : 'someLetters'));
        const tile = find('.letters');
        setAttribute(tile, 'data-letters', letters === null ? 'unknown' : letters === 0 ? 'none' : 'some');
        setText(find('.symbol', tile), letters === null ? '?' : letters === 0 ? '✓' : '⚠');
        show('data-dead-letters', letters === null ? text('unknown') : count(letters), letters);
        show('lag', picture.lag === null ? text('unknown') : count(picture.lag), picture.lag);
        const rows = picture.rowsPerSecond;
        show('rows-per-second', rows === null ? text('unknown') : count(rows, oneDigit), rows);
        const last = picture.lastMessage;
        if (last === null) {
            show('last-message', text('unknown'), null);
        } else {
            const local = last.at + last.offset, days = ms => Math.floor(ms / 86400000);
            const isToday = days(local) === days(Date.now() + last.offset);
            show('last-message', (isToday ? '' : monthDayFormat.format(new Date(local)) + ' ') + clockTime(local, true),
                new Date(last.at).toISOString());
        }
        drawWaits();
        drawTime();
        ranks.forEach(rank => rank.draw(picture.ranks[rank.name]));
        drawHours();
        drawDays();
        announceTotal();
        const title = (picture.total === null ? '' : count(picture.total) + ' · ') + text('title');
        if (document.title !== title) document.title = title;
    }

    // ---- Days

    const select = find('.days select');
    const today = find('.today');
    let chosen = null;

    function readAddress() {
        const day = new URLSearchParams(location.search).get('day');
        chosen = isDay(day) ? day : null;
    }
    function address(day) {
        const query = [];
        if (isTV) query.push('tv');
        if (day) query.push('day=' + day);
        return location.pathname + (query.length ? '?' + query.join('&') : '');
    }
    function choose(day) {
        if (day === chosen) return;
        history.pushState(null, '', address(day));
        followAddress();
    }
    function followAddress() {
        readAddress();
        if (picture) drawDays();
        setAttribute(find('main'), 'aria-busy', 'true');
        setState('connecting');
        connect();
    }
    let drawnDays = '';
    function drawDays() {
        const days = picture.days.slice();
        if (chosen && days.indexOf(chosen) < 0) days.push(chosen);
        days.sort().reverse();
        const follow = text(picture.replayed ? 'latestDay' : 'today');
        setText(today, follow);
        setAttribute(today, 'href', address(null));
        setClass(today, 'away', chosen === null);
        setAttribute(today, 'tabindex', chosen === null ? '-1' : null);
        const key = follow + days.join();
        // Only if the days have changed, since this closes an open list.
        if (key !== drawnDays) {
            drawnDays = key;
            while (select.firstChild) select.removeChild(select.firstChild);
            const year = picture.now === null ? '' : new Date(picture.now).toISOString().slice(0, 4);
            [''].concat(days).forEach(day => {
                const option = select.appendChild(element('option'));
                option.value = day;
                const format = day.slice(0, 4) === year ? shortDayFormat : shortDayYearFormat;
                option.textContent = day ? format.format(new Date(day + 'T00:00:00Z')) : follow;
            });
        }
        if (select.value !== (chosen || '')) select.value = chosen || '';
        const shown = chosen || picture.day;
        // Not `disabled`, which would take the focus away from a button that was just used.
        setAttribute(find('[data-step=older]'), 'aria-disabled', String(!neighbour(days, shown, -1)));
        setAttribute(find('[data-step=newer]'), 'aria-disabled', String(!neighbour(days, shown, 1)));
    }
    function neighbour(days, day, step) {
        if (!day) return null;
        const others = days.filter(each => step < 0 ? each < day : each > day);
        return others[step < 0 ? 0 : others.length - 1] || null;
    }
    select.addEventListener('change', () => choose(select.value || null));
    findAll('[data-step]').forEach(button => button.addEventListener('click', () => {
        const step = button.getAttribute('data-step') === 'older' ? -1 : 1;
        const day = picture && neighbour(picture.days.slice().sort().reverse(), chosen || picture.day, step);
        if (day) choose(day);
    }));
    today.addEventListener('click', event => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        choose(null);
        select.focus();
    });
    window.addEventListener('popstate', followAddress);

    // ---- Connection

    const stateNode = find('.state');
    let source = null;
    let retryTimer = null;
    let failures = 0;

    function setState(next) {
        if (next === 'live') setAttribute(find('main'), 'aria-busy', null);
        state = next;
        const since = picture && picture.now !== null ? clockTime(plantTime(), true) : null;
        const symbols = {connecting: '○', live: '●', lost: '⚠', unreadable: '⚠'};
        const words = next === 'lost' || next === 'unreadable' ? (since ? text(next, since) : text(next + 'Empty'))
            : text(next);
        const before = stateNode.getAttribute('data-state');
        const isTrouble = each => each === 'lost' || each === 'unreadable';
        setAttribute(stateNode, 'data-state', next);
        setAttribute(document.documentElement, 'data-connection', next);
        setText(find('.symbol', stateNode), symbols[next]);
        setText(find('.words', stateNode), words);
        if (before !== next && (isTrouble(before) || isTrouble(next))) announce(words);
        drawTime();
    }

    function connect() {
        if (source) source.close();
        clearTimeout(retryTimer);
        retryTimer = null;
        const opened = performance.now();
        const stream = new EventSource('events' + (chosen ? '?day=' + chosen : ''));
        source = stream;
        stream.openedAt = opened;
        stream.onmessage = event => {
            if (stream === source) receive(event.data);
        };
        stream.addEventListener('beat', () => {
            if (stream === source) eventAt = performance.now();
        });
        // The browser's own retry may wait for a long time, and stops after some answers.
        stream.onerror = () => {
            if (stream === source) retry();
        };
    }
    function retry() {
        if (source) source.close();
        source = null;
        setState('lost');
        clearTimeout(retryTimer);
        // A random part, so that the plant's screens do not all reconnect at the same moment.
        const longest = RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)];
        retryTimer = setTimeout(connect, longest * (0.7 + 0.3 * Math.random()));
    }
    function receive(line) {
        let raw;
        eventAt = performance.now();
        try {
            raw = JSON.parse(line);
            if (raw === null || typeof raw !== 'object' || Array.isArray(raw)) throw new TypeError('not an object');
        } catch (error) {
            setState('unreadable');
            return;
        }
        failures = 0;
        picture = read(raw);
        pictureAt = eventAt;
        reloadAfterUpgrade();
        setState('live');
        draw();
    }
    function checkStream() {
        if (!source) return;
        if (performance.now() - Math.max(eventAt, source.openedAt) > STALL_MS) retry();
    }

    const version = find('meta[name=version]').getAttribute('content');
    function reloadAfterUpgrade() {
        if (!picture || !picture.version || picture.version === version) return;
        // Without session storage a reload could repeat forever, so do not reload.
        try {
            const last = Number(sessionStorage.getItem('reloaded')) || 0;
            if (Math.abs(Date.now() - last) < RELOAD_MS) return;
            sessionStorage.setItem('reloaded', String(Date.now()));
        } catch (error) {
            return;
        }
        location.reload();
    }

    // ---- Announcements for screen readers: the connection at once, the total at most every 30 s

    const announcement = find('#announcement');
    let announcedTotal = null;
    let announcedAt = -ANNOUNCE_MS;
    function announce(words) { setText(announcement, words); }
    function announceTotal() {
        if (!picture || state !== 'live' || picture.total === null || picture.total === announcedTotal) return;
        if (performance.now() - announcedAt < ANNOUNCE_MS) return;
        announcedAt = performance.now();
        announcedTotal = picture.total;
        announce(text('announceTotal', count(picture.total)));
    }

    // ---- Start

    document.documentElement.lang = locale;
    findAll('[data-text]').forEach(node => setText(node, text(node.getAttribute('data-text'))));
    findAll('[data-label]').forEach(node => setAttribute(node, 'aria-label', text(node.getAttribute('data-label'))));
    document.title = text('title');
    setClass(document.documentElement, 'tv', isTV);
    readAddress();
    ranks.forEach(rank => rank.arrange());
    setState('connecting');
    connect();

    let resizing = null;
    window.addEventListener('resize', () => {
        if (resizing !== null) return;
        resizing = requestAnimationFrame(() => {
            resizing = null;
            if (picture) drawHours();
            ranks.forEach(rank => rank.arrange());
        });
    });
    setInterval(() => {
        checkStream();
        drawTime();
        announceTotal();
        reloadAfterUpgrade();
    }, 1000);
    if (isTV) {
        document.addEventListener('keydown', event => {
            if (event.key !== ' ') return;
            isPaused = !isPaused;
            ranks.forEach(rank => rank.arrange());
        });
        setInterval(() => {
            if (isPaused) return;
            ranks.forEach(rank => {
                rank.page++;
                rank.arrange();
            });
            waitIndex++;
            if (picture) drawWaits();
        }, ROTATION_MS);
    }
    window.addEventListener('online', () => { if (!source) connect(); });
    window.addEventListener('pagehide', () => {
        if (source) source.close();
        source = null;
        clearTimeout(retryTimer);
    });
    // A page that comes back from the browser's back/forward cache starts again.
    window.addEventListener('pageshow', event => { 
        if (event.persisted) followAddress();
    });
}());
